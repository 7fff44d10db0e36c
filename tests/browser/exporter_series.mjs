// What exporters of many programs give, for the examples of Grafana's dashboards: metric{label=one|other} kind. A line is each combination of its
// values; kinds are gauge, counter and buckets (a histogram), and a number is a gauge that stands still.
const EXPORTERS = {
  windows: `
    windows_os_info{job=windows,instance=pc:9182,product=Microsoft Windows Server} 1
    windows_system_boot_time_timestamp{instance=pc:9182} 1700000000
    windows_cpu_time_total{instance=pc:9182,mode=idle|user|privileged,core=0|1} counter
    windows_logical_disk_size_bytes{instance=pc:9182,volume=C:|D:} 500000000000
    windows_logical_disk_free_bytes{instance=pc:9182,volume=C:|D:} 120000000000
    windows_net_bytes_received_total{instance=pc:9182,nic=ethernet|isatap_x} counter
    windows_net_bytes_sent_total{instance=pc:9182,nic=ethernet|isatap_x} counter
    windows_service_state{instance=pc:9182,name=dhcp|spooler,state=running} 1
    windows_service_state{instance=pc:9182,name=winmgmt,state=stopped} 1
    windows_cs_physical_memory_bytes{instance=pc:9182} 16000000000
    windows_os_physical_memory_free_bytes{instance=pc:9182} gauge`,
  cadvisor: `
    process_start_time_seconds{job=cadvisor,instance=a:8080} 1700000000
    machine_memory_bytes{job=cadvisor,instance=a:8080} 16000000000
    container_last_seen{job=cadvisor,instance=a:8080,name=web|db} gauge
    container_memory_rss{job=cadvisor,instance=a:8080,name=web|db} gauge
    container_cpu_usage_seconds_total{job=cadvisor,instance=a:8080,name=web|db} counter
    container_network_receive_bytes_total{job=cadvisor,instance=a:8080,name=web|db} counter
    container_network_transmit_bytes_total{job=cadvisor,instance=a:8080,name=web|db} counter
    container_fs_usage_bytes{job=cadvisor,instance=a:8080,name=web|db,device=sda|sdb} gauge`,
  nginx: `
    nginx_up{instance=a:9113|b:9113} 1
    nginx_exporter_config_last_reload_success_timestamp_seconds{instance=a:9113} counter
    nginx_connections_accepted{instance=a:9113|b:9113} counter
    nginx_connections_handled{instance=a:9113|b:9113} counter
    nginx_connections_active{instance=a:9113|b:9113} gauge
    nginx_connections_reading{instance=a:9113|b:9113} gauge
    nginx_connections_waiting{instance=a:9113|b:9113} gauge
    nginx_connections_writing{instance=a:9113|b:9113} gauge
    nginx_http_requests_total{instance=a:9113|b:9113} counter`,
  blackbox: `
    probe_success{job=http,instance=https://one.example|https://two.example} 1
    probe_http_status_code{job=http,instance=https://one.example|https://two.example} 200
    probe_ssl_earliest_cert_expiry{job=http,instance=https://one.example|https://two.example} 2000000000
    probe_duration_seconds{job=http,instance=https://one.example|https://two.example} gauge
    probe_http_duration_seconds{job=http,instance=https://one.example|https://two.example,phase=connect|tls|transfer} gauge`,
  mysql: `
    mysql_up{instance=db:9104} 1
    mysql_global_status_uptime{instance=db:9104} counter
    mysql_global_status_queries{instance=db:9104} counter
    mysql_global_variables_innodb_buffer_pool_size{instance=db:9104} 134217728
    node_memory_MemTotal_bytes{instance=db:9104} 16000000000
    mysql_global_status_threads_connected{instance=db:9104} gauge
    mysql_global_status_max_used_connections{instance=db:9104} 40
    mysql_global_variables_max_connections{instance=db:9104} 151
    mysql_global_status_threads_running{instance=db:9104} gauge
    mysql_global_status_threads_cached{instance=db:9104} gauge
    mysql_global_status_bytes_sent{instance=db:9104} counter
    mysql_global_status_commands_total{instance=db:9104,command=select|insert|update} counter
    mysql_global_status_handlers_total{instance=db:9104,handler=read_key|read_next|commit} counter
    mysql_global_status_innodb_row_ops_total{instance=db:9104,operation=read|inserted} counter`,
  kubernetes: `
    up{job=kubelet,cluster=main,instance=n1:10250} 1
    kube_namespace_status_phase{job=kube-state-metrics,cluster=main,namespace=shop|blog,phase=Active} 1
    kube_pod_info{cluster=main,namespace=shop|blog,pod=web-1|web-2} 1
    kube_pod_status_phase{cluster=main,namespace=shop,pod=web-1,phase=Running|Pending} 1
    container_cpu_usage_seconds_total{cluster=main,namespace=shop|blog,pod=web-1|web-2,image=x,job=kubelet} counter
    kube_pod_container_resource_requests{cluster=main,namespace=shop|blog,pod=web-1|web-2,resource=cpu|memory} gauge
    kube_pod_container_resource_limits{cluster=main,namespace=shop|blog,pod=web-1|web-2,resource=cpu|memory} 200
    kube_resourcequota{cluster=main,namespace=shop,type=hard,resource=requests.cpu} 40
    container_memory_working_set_bytes{cluster=main,namespace=shop|blog,pod=web-1|web-2,image=x} gauge
    container_network_receive_bytes_total{cluster=main,namespace=shop|blog,pod=web-1|web-2} counter
    container_network_transmit_bytes_total{cluster=main,namespace=shop|blog,pod=web-1|web-2} counter`,
  jvm: `
    process_uptime_seconds{application=shop,instance=a:8081} counter
    process_start_time_seconds{application=shop,instance=a:8081} 1700000000
    jvm_memory_used_bytes{application=shop,instance=a:8081,area=heap,id=Eden|Old} gauge
    jvm_memory_used_bytes{application=shop,instance=a:8081,area=nonheap,id=Metaspace} gauge
    jvm_memory_committed_bytes{application=shop,instance=a:8081,area=heap,id=Eden|Old} 120
    jvm_memory_max_bytes{application=shop,instance=a:8081,area=heap,id=Eden|Old} 200
    jvm_gc_pause_seconds_count{application=shop,instance=a:8081,action=minor,cause=full} counter
    jvm_gc_pause_seconds_sum{application=shop,instance=a:8081,action=minor,cause=full} counter
    jvm_gc_pause_seconds_max{application=shop,instance=a:8081,action=minor,cause=full} gauge
    jvm_threads_live_threads{application=shop,instance=a:8081} gauge
    jvm_threads_daemon_threads{application=shop,instance=a:8081} gauge
    jvm_threads_states_threads{application=shop,instance=a:8081,state=blocked|new|waiting} gauge
    system_cpu_usage{application=shop,instance=a:8081} gauge
    process_cpu_usage{application=shop,instance=a:8081} gauge`,
  haproxy: `
    haproxy_process_nbproc{instance=lb:8404} 1
    haproxy_frontend_http_responses_total{instance=lb:8404,proxy=front,code=2xx|4xx|5xx} counter
    haproxy_backend_http_responses_total{instance=lb:8404,proxy=app|static,code=2xx|5xx} counter
    haproxy_backend_current_queue{instance=lb:8404,proxy=app|static} gauge
    haproxy_frontend_bytes_in_total{instance=lb:8404,proxy=front} counter
    haproxy_frontend_bytes_out_total{instance=lb:8404,proxy=front} counter
    haproxy_frontend_current_sessions{instance=lb:8404,proxy=front|stats} gauge
    haproxy_backend_response_time_average_seconds{instance=lb:8404,proxy=app|static} gauge`,
  rabbitmq: `
    rabbitmq_identity_info{namespace=mq,rabbitmq_cluster=main,rabbitmq_node=rabbit@n0,instance=n0:15692} 1
    rabbitmq_identity_info{namespace=mq,rabbitmq_cluster=main,rabbitmq_node=rabbit@n1,instance=n1:15692} 1
    rabbitmq_queue_messages_ready{instance=n0:15692|n1:15692,vhost=shop|logs} gauge
    rabbitmq_channel_messages_published_total{instance=n0:15692|n1:15692} counter
    rabbitmq_channels{instance=n0:15692|n1:15692} gauge
    rabbitmq_channel_consumers{instance=n0:15692|n1:15692} 3
    rabbitmq_process_resident_memory_bytes{instance=n0:15692|n1:15692} gauge
    rabbitmq_resident_memory_limit_bytes{instance=n0:15692|n1:15692} 200
    rabbitmq_build_info{instance=n0:15692|n1:15692,rabbitmq_version=3.12.1,erlang_version=25.3} 1`,
  etcd: `
    etcd_server_has_leader{job=etcd,instance=a:2379|b:2379} 1
    etcd_mvcc_db_total_size_in_bytes{job=etcd,instance=a:2379|b:2379} gauge
    etcd_server_quota_backend_bytes{job=etcd,instance=a:2379|b:2379} 200
    etcd_network_peer_sent_bytes_total{job=etcd,instance=a:2379|b:2379,To=x} counter
    grpc_server_started_total{job=etcd,instance=a:2379,grpc_type=unary} counter
    grpc_server_handled_total{job=etcd,instance=a:2379,grpc_type=unary,grpc_code=OK|Unavailable} counter
    etcd_server_proposals_committed_total{job=etcd,instance=a:2379|b:2379} counter
    etcd_disk_wal_fsync_duration_seconds{job=etcd,instance=a:2379|b:2379} buckets`,
  elasticsearch: `
    elasticsearch_cluster_health_status{cluster=logs,color=green} 1
    elasticsearch_cluster_health_status{cluster=logs,color=yellow|red} 0
    elasticsearch_cluster_health_number_of_nodes{cluster=logs} 2
    elasticsearch_process_cpu_percent{cluster=logs,name=es-1|es-2} gauge
    elasticsearch_indices_docs{cluster=logs,name=es-1|es-2|other} gauge
    elasticsearch_node_shards_total{cluster=logs,node=es-1|es-2,job=es,instance=x:9114} 12`,
  alertmanager: `
    up{job=alertmanager,instance=am:9093} 1
    alertmanager_notifications_total{service=am,integration=email|webhook} counter
    alertmanager_notifications_failed_total{service=am,integration=email|webhook} counter
    alertmanager_notification_latency_seconds{service=am,integration=email|webhook} buckets
    alertmanager_cluster_members{service=am} 1`,
  kafka_v2: `
    kafka_brokers{instance=k:9308} 3
    kafka_topic_partition_current_offset{topic=orders|clicks,partition=0|1} counter
    kafka_topic_partitions{topic=orders|clicks} 2
    kafka_consumergroup_lag{topic=orders|clicks,consumergroup=billing,partition=0|1} gauge`,
};

export const WITH_SERIES = Object.keys(EXPORTERS);

const BOUNDS = ["0.001", "0.01", "0.1", "1", "+Inf"];

function combinations(labels) {
  return labels.reduce((all, [name, values]) => all.flatMap((one) => values.map((value) => [...one, [name, value]])), [[]]);
}

// A value `at` seconds after the beginning, for the `n`th series.
function valueOf(kind, n, at) {
  if (kind === "gauge") return 50 + 10 * n + 20 * Math.sin(at / 60 + n);
  if (kind === "counter") return (n + 2) * at;
  return Number(kind);
}

const escaped = (value) => value.replace(/[ ,=]/g, "\\$&");

// Lines of line protocol with all series of the last `minutes`, a sample each 15 seconds; times are in seconds.
export function exporterLines(name, minutes = 100, now = Math.floor(Date.now() / 1000)) {
  const lines = [];
  let n = 0;
  for (const line of EXPORTERS[name].trim().split("\n")) {
    const [, metric, inside, kind] = /^\s*(\w+)\{(.*)\} (\S+)$/.exec(line);
    const labels = inside.split(",").map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1).split("|")]);
    for (const pairs of combinations(labels)) {
      n += 1;
      const put = (suffix, more, value, time) => lines.push(`${metric}${suffix},${[...pairs, ...more].map(([label, one]) => `${label}=${escaped(one)}`).join(",")} value=${value} ${time}`);
      for (let at = 0; at <= minutes * 60; at += 15) {
        const time = now - minutes * 60 + at;
        if (kind !== "buckets") put("", [], valueOf(kind, n, at), time);
        else {
          BOUNDS.forEach((bound, b) => put("_bucket", [["le", bound]], (b + 1) * at, time));
          put("_count", [], BOUNDS.length * at, time);
          put("_sum", [], 0.05 * BOUNDS.length * at, time);
        }
      }
    }
  }
  return lines;
}
