locals {
  # Mean seconds of each stage over the pairs settled in the window; stacked they are a pair's time.
  stage_means = [for stage in local.stages : {
    plotType       = "STACKED_AREA"
    legendTemplate = stage
    timeSeriesQuery = {
      prometheusQuery = "sum(increase(${local.promql_prefix}_${stage}_ms_sum{${local.promql_labels}}[10m])) / sum(increase(${local.promql_prefix}_${stage}_ms_count{${local.promql_labels}}[10m])) / 1000"
    }
  } if stage != "total"]

  # What is promised of a pair, over a week. A fault of ours is one that neither the manifest nor the pictures nor the
  # budget can be blamed for; how long a pair waits for its turn is the quota's doing, not counted here.
  our_faults        = "internal|model_unavailable|deadline_exceeded"
  objective_settled = 0.99 # share of pairs without a fault of ours
  objective_seconds = 60   # in which 95 of 100 pairs are done, from the delivery that settles them

  # Left to right, top to bottom: does it hold what is promised, is it working, what does it cost, how fast is it, what
  # is stuck.
  charts = [
    { title = "Objective: pairs settled without a fault of ours (share of 7 days)", unit = "share", series = [
      { plotType = "LINE", legendTemplate = "settled", timeSeriesQuery = {
      prometheusQuery = "1 - (sum(increase(${local.settled}{${local.promql_labels},error_code=~\"${local.our_faults}\"}[7d])) or vector(0)) / sum(increase(${local.settled}{${local.promql_labels}}[7d]))" } },
    ], thresholds = [{ label = "objective", value = local.objective_settled }] },
    { title = "Objective: time of 95 of 100 pairs (7 days)", unit = "s", series = [
      { plotType = "LINE", legendTemplate = "quantile 0.95", timeSeriesQuery = {
      prometheusQuery = "histogram_quantile(0.95, sum by (le) (increase(${local.promql_prefix}_total_ms_bucket{${local.promql_labels}}[7d]))) / 1000" } },
    ], thresholds = [{ label = "objective", value = local.objective_seconds }] },
    { title = "Shares of an hour: failed of settled, 429 of the model's calls", unit = "share", series = [
      { plotType = "LINE", legendTemplate = "failed of settled", timeSeriesQuery = {
      prometheusQuery = "${local.count_of.failed["1h"]} / ${local.count_of.settled["1h"]}" } },
      { plotType = "LINE", legendTemplate = "429 of calls", timeSeriesQuery = {
      prometheusQuery = "${local.count_of.put_off["1h"]} / (${local.count_of.put_off["1h"]} + ${local.count_of.answered["1h"]})" } },
    ] },
    { title = "Turned away before an instance in 10 minutes: 429 full, 403 refused", unit = "deliveries", series = [
      { plotType = "STACKED_BAR", legendTemplate = "$${status}", timeSeriesQuery = {
      prometheusQuery = "sum by (status) (increase(${local.promql_prefix}_turned_away{${local.promql_labels}}[10m]))" } },
    ] },
    { title = "Pairs settled in 10 minutes, by status", unit = "pairs", series = [
      { plotType = "STACKED_BAR", legendTemplate = "$${status}", timeSeriesQuery = {
      prometheusQuery = "sum by (status) (increase(${local.settled}{${local.promql_labels}}[10m]))" } },
    ] },
    { title = "Failures in an hour, by error code", unit = "pairs", series = [
      { plotType = "STACKED_BAR", legendTemplate = "$${error_code}", timeSeriesQuery = {
      prometheusQuery = "sum by (error_code) (increase(${local.settled}{${local.promql_labels},status=\"failed\"}[1h]))" } },
    ] },
    { title = "Spent on the model in an hour", unit = "USD", series = [
      { plotType = "STACKED_AREA", legendTemplate = "answered", timeSeriesQuery = {
      prometheusQuery = "sum(increase(${local.promql_prefix}_answered_usd_sum{${local.promql_labels}}[1h]))" } },
      { plotType = "STACKED_AREA", legendTemplate = "no answer, perhaps billed", timeSeriesQuery = {
      prometheusQuery = "sum(increase(${local.promql_prefix}_unanswered_usd_sum{${local.promql_labels}}[1h]))" } },
    ] },
    { title = "Attempts and cost of a pair (mean of an hour)", unit = "attempts, USD", series = [
      { plotType = "LINE", legendTemplate = "attempts", timeSeriesQuery = {
      prometheusQuery = "sum(increase(${local.promql_prefix}_attempts_sum{${local.promql_labels}}[1h])) / sum(increase(${local.promql_prefix}_attempts_count{${local.promql_labels}}[1h]))" } },
      { plotType = "LINE", legendTemplate = "USD", timeSeriesQuery = {
      prometheusQuery = "sum(increase(${local.promql_prefix}_usd_sum{${local.promql_labels}}[1h])) / sum(increase(${local.promql_prefix}_usd_count{${local.promql_labels}}[1h]))" } },
    ] },
    { title = "Spent in 24 hours, by model", unit = "USD", series = [
      { plotType = "STACKED_AREA", legendTemplate = "$${model}", timeSeriesQuery = {
      prometheusQuery = "sum by (model) (increase(${local.promql_prefix}_answered_usd_sum{${local.promql_labels}}[24h]))" } },
      { plotType = "STACKED_AREA", legendTemplate = "$${model}: no answer, perhaps billed", timeSeriesQuery = {
      prometheusQuery = "sum by (model) (increase(${local.promql_prefix}_unanswered_usd_sum{${local.promql_labels}}[24h]))" } },
    ] },
    # The cap's day begins at midnight UTC, PromQL's 24 hours end now: they hold at least as much as the day so far.
    { title = "Spent in 24 hours, and what a day (UTC) may cost", unit = "USD", series = [
      { plotType = "LINE", legendTemplate = "spent, perhaps billed included", timeSeriesQuery = {
      prometheusQuery = local.promql_spent["24h"] } },
    ], thresholds = [for cap in var.max_usd_per_day[*] : { label = "max_usd_per_day", value = cap }] },
    { title = "Where a pair's time goes (mean seconds by stage)", unit = "s", series = local.stage_means },
    { title = "From upload to settled", unit = "s", series = [for q in ["0.5", "0.95"] : {
      plotType = "LINE", legendTemplate = "quantile ${q}", timeSeriesQuery = {
    prometheusQuery = "histogram_quantile(${q}, sum by (le) (increase(${local.promql_prefix}_age_seconds_bucket{${local.promql_labels}}[10m])))" } }] },
    { title = "Events waiting", unit = "events", series = [
      { plotType = "LINE", legendTemplate = "not settled yet", timeSeriesQuery = { timeSeriesFilter = {
        filter = "${local.trigger_subscription} AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      aggregation = { alignmentPeriod = "60s", perSeriesAligner = "ALIGN_MAX", crossSeriesReducer = "REDUCE_SUM" } } } },
      { plotType = "LINE", legendTemplate = "dead letters", timeSeriesQuery = { timeSeriesFilter = {
        filter = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${var.name}-dead-letter\" AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      aggregation = { alignmentPeriod = "60s", perSeriesAligner = "ALIGN_MAX", crossSeriesReducer = "REDUCE_SUM" } } } },
    ] },
    { title = "Age of the oldest event", unit = "s", series = [
      { plotType = "LINE", legendTemplate = "oldest", timeSeriesQuery = { timeSeriesFilter = {
        filter = "${local.trigger_subscription} AND metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
      aggregation = { alignmentPeriod = "60s", perSeriesAligner = "ALIGN_MAX", crossSeriesReducer = "REDUCE_MAX" } } } },
    ] },
    { title = "Answers by class in 10 minutes", unit = "requests", series = [
      { plotType = "STACKED_BAR", legendTemplate = "$${response_code_class}", timeSeriesQuery = {
      prometheusQuery = "sum by (response_code_class) (increase(${local.requests}[10m]))" } },
    ] },
    { title = "Deliveries asked to come again in 10 minutes, by code", unit = "deliveries", series = [
      { plotType = "STACKED_BAR", legendTemplate = "$${error_code}", timeSeriesQuery = {
      prometheusQuery = "sum by (error_code) (increase(${local.promql_prefix}_deliver_again{${local.promql_labels}}[10m]))" } },
    ] },
    { title = "Batch jobs in an hour", unit = "jobs", series = [
      { plotType = "STACKED_BAR", legendTemplate = "$${message}", timeSeriesQuery = {
      prometheusQuery = "sum by (message) (increase(${local.promql_prefix}_batch_jobs{${local.promql_labels}}[1h]))" } },
    ] },
    { title = "Tokens in an hour", unit = "tokens", series = [for kind in ["prompt", "output"] : {
      plotType = "LINE", legendTemplate = kind, timeSeriesQuery = {
    prometheusQuery = "sum(increase(${local.promql_prefix}_${kind}_tokens_sum{${local.promql_labels}}[1h]))" } }] },
    { title = "Instances and their fullest memory", unit = "instances, share", series = [
      { plotType = "LINE", legendTemplate = "instances", timeSeriesQuery = {
      prometheusQuery = "sum(run_googleapis_com:container_instance_count{${local.promql_labels},service_name=\"${var.name}\"})" } },
      { plotType = "LINE", legendTemplate = "memory, quantile 0.99", timeSeriesQuery = {
      prometheusQuery = "histogram_quantile(0.99, sum by (le) (increase(run_googleapis_com:container_memory_utilizations_bucket{${local.promql_labels},service_name=\"${var.name}\"}[10m])))" } },
    ] },
  ]

  # The grid has 48 columns; two charts in a row, and the log over the full width below them.
  chart_tiles = [for i, chart in local.charts : {
    xPos   = (i % 2) * 24
    yPos   = floor(i / 2) * 14
    width  = 24
    height = 14
    widget = {
      title = chart.title
      xyChart = {
        dataSets   = chart.series
        thresholds = try(chart.thresholds, [])
        yAxis      = { label = chart.unit, scale = "LINEAR" }
      }
    }
  }]
  # Which models end when, marked two months before: the text changes on that day, and with it the next plan.
  models = jsondecode(file("${path.module}/../function/generation/models.json"))
  retirements = [for id in distinct(concat([var.model], var.fallback_models, var.judge_model[*])) : {
    id      = id
    retires = try(local.models.models[id].retires, local.models.text_models[id].retires, null)
  }]
  retirement_notice_hours = 1440 # 60 days, as RETIREMENT_NOTICE_DAYS of the function
  retirement_lines = [for model in local.retirements : (
    model.retires == null ? "- `${model.id}`: no date announced" :
    timecmp("${model.retires}T00:00:00Z", timeadd(plantimestamp(), "${local.retirement_notice_hours}h")) < 0 ?
    "- **`${model.id}` is shut down on ${model.retires}: choose another model**" :
    "- `${model.id}`: ${model.retires}"
  )]
  retirement_tile = {
    xPos   = 0
    yPos   = ceil(length(local.charts) / 2) * 14
    width  = 48
    height = 6
    widget = {
      title = "Models in use, and when they are shut down"
      text  = { format = "MARKDOWN", content = join("\n", local.retirement_lines) }
    }
  }
  log_tile = {
    xPos   = 0
    yPos   = ceil(length(local.charts) / 2) * 14 + 6
    width  = 48
    height = 16
    widget = {
      title     = "Failures, errors and deliveries asked to come again"
      logsPanel = { filter = "${local.log_filter} AND (severity>=WARNING OR jsonPayload.status=\"failed\")" }
    }
  }
}

# The page to keep open.
resource "google_monitoring_dashboard" "composite" {
  dashboard_json = jsonencode({
    displayName  = "${var.name}: product pictures"
    mosaicLayout = { columns = 48, tiles = concat(local.chart_tiles, [local.retirement_tile, local.log_tile]) }
  })

  depends_on = [google_logging_metric.settled, google_logging_metric.measured, google_logging_metric.spent, google_logging_metric.deliver_again, google_logging_metric.model_busy, google_logging_metric.turned_away]
}
