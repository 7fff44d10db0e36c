// AlertmanagerApi: what Alertmanager's API v2 answers, asked of us by Grafana, Karma, `amtool` and senders of alerts.
//
// Source: prometheus/alertmanager 0.25, api/v2/api.go; its answers to what is wrong were taken from Debian's.
#pragma once

#include <cstdint>
#include <string>

#include "storage/base/clock.h"
#include "tools/server/http/message.h"
#include "tools/server/notify/notify_service.h"

namespace tidemark::server::notify {

// Thread-safe.
class AlertmanagerApi {
 public:
  // The service and the clock outlive it. `start_ns`: since when the server is up.
  AlertmanagerApi(NotifyService* service, const Clock* clock, std::string version, int64_t start_ns)
      : service_(service), clock_(clock), version_(std::move(version)), start_ns_(start_ns) {}

  http::Response Status() const;
  http::Response Receivers() const;
  // filter (repeats), receiver, active, silenced, inhibited.
  http::Response ListAlerts(const http::Request& request) const;
  http::Response PostAlerts(http::Request& request) const;
  http::Response ListGroups(const http::Request& request) const;
  http::Response ListSilences(const http::Request& request) const;
  http::Response PostSilence(http::Request& request) const;
  // The id is the first capture.
  http::Response GetSilence(const http::Request& request) const;
  http::Response DeleteSilence(http::Request& request) const;
  // POST receiver=NAME: what became of a test message by each way, in Prometheus' envelope.
  http::Response SendTest(const http::Request& request) const;

 private:
  NotifyService* const service_;
  const Clock* const clock_;
  const std::string version_;
  const int64_t start_ns_;
};

// A refusal in the words of this API.
http::Response RefuseAsAlertmanager(int status, std::string_view text);

}  // namespace tidemark::server::notify
