// Numbers as Prometheus' templates write them for people.
// Source: https://prometheus.io/docs/prometheus/latest/configuration/template_reference/
#pragma once

#include <string>

namespace tidemark::query::rules {

std::string Humanize(double value);      // 1234567 is 1.235M
std::string Humanize1024(double value);  // 2048 is 2ki
std::string HumanizePercentage(double ratio);
std::string HumanizeDuration(double seconds);  // 3725 is 1h 2m 5s

}  // namespace tidemark::query::rules
