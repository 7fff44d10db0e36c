#include "tools/server/watch/self_alerts.h"

namespace tidemark::server {
namespace {

constexpr std::string_view kText = R"(groups:
  - name: self
    interval: 15s
    database: _server
    into: _server
    rules:
      - alert: TidemarkDiskFullSoon
        expr: disk_used_percent > 50 and predict_linear(disk_free[6h], 2 * 86400) < 0
        database: _host
        for: 15m
        labels: {severity: warning}
        annotations:
          summary: "The disk of {{ $labels.path }} is {{ $value | printf \"%.0f\" }}% full, and full within two days if it goes on so"
      - alert: TidemarkDiskFull
        expr: disk_used_percent > 95
        database: _host
        for: 1m
        labels: {severity: critical}
        annotations:
          summary: "The disk of {{ $labels.path }} is {{ $value | printf \"%.1f\" }}% full: writes stop when it is full"
      - alert: TidemarkNoReserve
        expr: tidemark_reserve_missing_bytes > 0
        for: 5m
        labels: {severity: warning}
        annotations: {summary: "{{ $value | humanize1024 }}B of the disk cannot be set aside: when it is full, deleting may fail too"}
      - alert: TidemarkDamage
        expr: tidemark_findings > 0 or increase(tidemark_corrupt_pages_total[1h]) > 0
        labels: {severity: critical}
        annotations: {summary: "Damage was found in the data folder: `tidemark admin verify` says what is affected"}
      - alert: TidemarkClockJump
        expr: max_over_time(abs(tidemark_clock_jump_seconds)[10m:15s]) > 5
        labels: {severity: warning}
        annotations: {summary: "The machine's clock was set by {{ $value | printf \"%.0f\" }} s"}
      - alert: TidemarkReceiverFails
        expr: tidemark_receivers_failing > 0
        for: 2m
        labels: {severity: warning}
        annotations: {summary: "{{ $value }} receivers or Alertmanagers do not take what is sent: see tidemark_notifications_failed_total"}
      - alert: TidemarkMemoryHigh
        expr: tidemark_memory_used_ratio > 0.9
        for: 2m
        labels: {severity: warning}
        annotations: {summary: "The server uses {{ $value | humanizePercentage }} of the memory that it may use"}
      - alert: TidemarkCertificateEnds
        expr: tidemark_certificate_ends_seconds - time() < 14 * 86400
        labels: {severity: warning}
        annotations: {summary: "The certificate ends in {{ $value | humanizeDuration }}"}
)";

}  // namespace

std::string_view SelfAlertsText() { return kText; }

}  // namespace tidemark::server
