#include "tools/loadgen/report.h"

#include "json/writer.h"

namespace spanwire::loadgen {
namespace {

void write_shape(json::Writer& out, const Shape& shape) {
  out.member("shape", shape.name)
      .member("title", shape.title)
      .member("kind", name_of(shape.kind))
      .member("protocol", name_of(shape.protocol))
      .member("unit", name_of(shape.unit))
      .member("size", shape.size)
      .member("connections", connections_of(shape));
  const bool held = shape.kind == Kind::connections || shape.kind == Kind::subscriptions;
  const bool streams = shape.protocol == Protocol::streams;
  if (!held) out.member("publishers", shape.publishers);
  if (!held && !streams && shape.kind != Kind::http) out.member("subscribers", shape.subscribers);
  if (streams) out.member("window", shape.window).member("consumers", shape.consumers);
  if (shape.count > 0) out.member("count", shape.count);
  if (shape.sleepers > 0) out.member("sleepers", shape.sleepers);
  if (shape.kind == Kind::http) {
    out.member("method", name_of(shape.method)).member("depth", shape.depth);
  }
  if (shape.kind == Kind::paced) out.member("rate", shape.rate);
}

void write_latency(json::Writer& out, std::string_view name, const Histogram& histogram) {
  if (histogram.count() == 0) return;
  out.key(name).begin_object();
  out.member("count", histogram.count())
      .member("p50", histogram.quantile(0.5))
      .member("p99", histogram.quantile(0.99))
      .member("p999", histogram.quantile(0.999))
      .member("max", histogram.quantile(1));
  out.end_object();
}

void write_figures(json::Writer& out, const Shape& shape, const Report& report) {
  out.member("wall_ns", report.span.wall_ns)
      .member("units", report.units)
      .member("published", report.published)
      .member("delivered", report.delivered)
      .member("server_cpu_ns", report.span.cpu_ns)
      .member("server_user_ns", report.span.user_ns)
      .member("server_system_ns", report.span.system_ns)
      .member("client_cpu_ns", report.span.own_cpu_ns)
      .member("resident_bytes", report.resident_bytes);
  if (report.resident_before_bytes > 0) {
    out.member("resident_before_bytes", report.resident_before_bytes);
  }
  if (shape.sleepers > 0) out.member("sleepers_closed", report.sleepers_closed);
  if (report.idle_cpu_ns) out.member("idle_cpu_ns", *report.idle_cpu_ns);
  write_latency(out, "latency_ns", report.latency);
  write_latency(out, "lag_ns", report.lag);
}

}  // namespace

std::string to_json(const Plan& plan, const base::Result<Report>& outcome) {
  std::string text;
  json::Writer out(text, {.escape = json::Escape::plain});
  out.begin_object();
  write_shape(out, plan.shape);
  if (outcome) {
    write_figures(out, plan.shape, *outcome);
  } else {
    out.member("void", outcome.error().text);
  }
  out.end_object();
  return text + "\n";
}

std::string list_json() {
  std::string text;
  for (const Shape& shape : shapes()) {
    json::Writer out(text, {.escape = json::Escape::plain});
    out.begin_object();
    write_shape(out, shape);
    out.end_object();
    text.push_back('\n');
  }
  return text;
}

}  // namespace spanwire::loadgen
