package serve

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are what /metrics shows, in Prometheus' text format. No label has a
// value that a stranger can choose, so their number is bounded.
type Metrics struct {
	registry  *prometheus.Registry
	inFlight  prometheus.Gauge
	requests  *prometheus.CounterVec
	durations prometheus.Histogram
	sent      prometheus.Counter
	transfers *prometheus.CounterVec
	moved     *prometheus.CounterVec
}

// NewMetrics returns Metrics with a registry of its own, so that several
// instances in one process do not mix.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ingot_http_requests_in_flight", Help: "HTTP requests being answered."}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ingot_http_requests_total", Help: "HTTP requests answered."}, []string{"method", "status"}),
		durations: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "ingot_http_request_seconds", Help: "Time to answer an HTTP request.",
			Buckets: []float64{.001, .003, .01, .03, .1, .3, 1, 3, 10, 30, 100}}),
		sent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ingot_http_sent_bytes_total", Help: "Bytes of HTTP bodies sent."}),
		transfers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ingot_git_transfers_total", Help: "Git fetches, pushes and archives served."}, []string{"service", "transport", "result"}),
		moved: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ingot_git_objects_total", Help: "Git objects sent and received."}, []string{"service"}),
	}
	m.registry.MustRegister(m.inFlight, m.requests, m.durations, m.sent, m.transfers, m.moved,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Transfer counts one git service ("upload-pack", …) over one transport
// ("http", "ssh") and the objects that went either way.
func (m *Metrics) Transfer(service, transport string, objects int, err error) {
	result := "ok"
	if err != nil {
		result = "error"
	}
	m.transfers.WithLabelValues(service, transport, result).Inc()
	m.moved.WithLabelValues(service).Add(float64(objects))
}

func (m *Metrics) begin() { m.inFlight.Inc() }

func (m *Metrics) end(method string, status int, took time.Duration, bytes int64) {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
	default:
		method = "other" // the method is the client's to choose
	}
	m.inFlight.Dec()
	m.requests.WithLabelValues(method, strconv.Itoa(status)).Inc()
	m.durations.Observe(took.Seconds())
	m.sent.Add(float64(bytes))
}
