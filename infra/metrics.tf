locals {
  # Both functions write the same lines; a metric counts the work, whichever way it came in.
  log_filter = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=~\"^${var.name}(-http)?$\""

  stages = ["download", "prepare", "generate", "restore", "check", "encode", "upload", "total"]

  # One distribution a number: a log-based metric takes a single value out of a line. `scale` is the upper bound
  # of the first histogram bucket, in the metric's unit; each of the 60 buckets is 30 % wider than the last.
  measured = merge(
    {
      usd           = { field = "usd", unit = "USD", scale = 0.005, what = "US dollars that a settled pair has cost" }
      attempts      = { field = "attempts", unit = "1", scale = 1, what = "Pictures that a settled pair took" }
      prompt_tokens = { field = "prompt_tokens", unit = "1", scale = 10, what = "Tokens sent to the model for a settled pair" }
      output_tokens = { field = "output_tokens", unit = "1", scale = 10, what = "Tokens received from the model for a settled pair" }
      age_seconds   = { field = "age_s", unit = "s", scale = 1, what = "Time from the upload of a manifest until it was settled" }
    },
    { for stage in local.stages :
      "${stage}_ms" => { field = "timings_ms.${stage}", unit = "ms", scale = 10, what = "Time that a settled pair spent in: ${stage}" }
    },
  )

  # The meter. It counts calls and not pairs: a call is paid for whether its pair is ever settled or not, and one
  # whose answer was lost may be on the bill, at the price of a picture.
  spent = {
    answered_usd   = { message = "model answered", field = "usd", what = "US dollars of model calls that were answered" }
    unanswered_usd = { message = "model call without an answer", field = "usd_at_most", what = "US dollars, at the most, of model calls without an answer: perhaps billed" }
  }

  # Both together over a window. A metric without any line yet is no series at all, and a sum with it would be none.
  promql_spent = { for window in ["1h", "24h"] : window => join(" + ", [for name in keys(local.spent) :
    "(sum(increase(${local.promql_prefix}_${name}_sum{${local.promql_labels}}[${window}])) or vector(0))"
  ]) }

  # The names under which PromQL knows these metrics.
  promql_prefix = "logging_googleapis_com:user_${replace(var.name, "-", "_")}"
  promql_labels = "monitored_resource=\"cloud_run_revision\""
}

# How many pairs ended how: the first question anybody asks.
resource "google_logging_metric" "settled" {
  name        = "${var.name}/settled"
  description = "Pairs settled, by status and error code"
  filter      = "${local.log_filter} AND jsonPayload.message=\"settled\""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
    labels {
      key         = "status"
      value_type  = "STRING"
      description = "accepted, review or failed"
    }
    labels {
      key         = "error_code"
      value_type  = "STRING"
      description = "why a pair failed"
    }
  }

  label_extractors = {
    status     = "EXTRACT(jsonPayload.status)"
    error_code = "EXTRACT(jsonPayload.error_code)"
  }

  depends_on = [google_project_service.api]
}

# What a settled pair cost, in money, attempts, tokens and seconds of each stage.
resource "google_logging_metric" "measured" {
  for_each = local.measured

  name            = "${var.name}/${each.key}"
  description     = each.value.what
  filter          = "${local.log_filter} AND jsonPayload.message=\"settled\" AND jsonPayload.${each.value.field}:*"
  value_extractor = "EXTRACT(jsonPayload.${each.value.field})"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = each.value.unit
  }

  bucket_options {
    exponential_buckets {
      num_finite_buckets = 60
      growth_factor      = 1.3
      scale              = each.value.scale
    }
  }

  depends_on = [google_project_service.api]
}

# What goes to the model, by the model that answered, or that did not.
resource "google_logging_metric" "spent" {
  for_each = local.spent

  name            = "${var.name}/${each.key}"
  description     = each.value.what
  filter          = "${local.log_filter} AND jsonPayload.message=\"${each.value.message}\" AND jsonPayload.${each.value.field}:*"
  value_extractor = "EXTRACT(jsonPayload.${each.value.field})"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = "USD"
    labels {
      key         = "model"
      value_type  = "STRING"
      description = "the model as it is priced"
    }
  }

  label_extractors = {
    model = "EXTRACT(jsonPayload.model)"
  }

  bucket_options {
    exponential_buckets {
      num_finite_buckets = 60
      growth_factor      = 1.3
      scale              = 0.005
    }
  }

  depends_on = [google_project_service.api]
}

# What becomes of batch jobs.
resource "google_logging_metric" "batch_jobs" {
  name        = "${var.name}/batch_jobs"
  description = "Batch jobs that were created, ended and closed"
  filter      = "${local.log_filter} AND jsonPayload.message=~\"^batch job (created|ended|closed)$\""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
    labels {
      key         = "message"
      value_type  = "STRING"
      description = "created, ended or closed"
    }
  }

  label_extractors = {
    message = "EXTRACT(jsonPayload.message)"
  }

  depends_on = [google_project_service.api]
}

# Deliveries answered 5xx on purpose: what is waited for, and how much. By code and not by reason, because a reason
# names objects, and every new value of a label is a time series of its own. Without a code: paused, or another
# delivery of the same pair is at work.
resource "google_logging_metric" "deliver_again" {
  name        = "${var.name}/deliver_again"
  description = "Deliveries that were asked to come again, by error code"
  filter      = "${local.log_filter} AND jsonPayload.message=~\"^(deliver again|paused$)\""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
    labels {
      key         = "error_code"
      value_type  = "STRING"
      description = "why the delivery could not be settled yet"
    }
  }

  label_extractors = {
    error_code = "EXTRACT(jsonPayload.error_code)"
  }

  depends_on = [google_project_service.api]
}

# Answers of the model's service that say no for the moment, by status: 429 is a quota that is used up.
resource "google_logging_metric" "model_busy" {
  name        = "${var.name}/model_busy"
  description = "Calls that the model's service has put off, by status"
  filter      = "${local.log_filter} AND jsonPayload.message=\"model call put off\""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
    labels {
      key         = "status"
      value_type  = "STRING"
      description = "HTTP status"
    }
  }

  label_extractors = {
    status = "EXTRACT(jsonPayload.status)"
  }

  depends_on = [google_project_service.api]
}

# What never reached an instance: 403, the trigger may not call; 429, every instance is full. Cloud Run's own metric
# of requests leaves both out (cloud.google.com/monitoring/api/metrics_gcp: request_count); its request log has them.
resource "google_logging_metric" "turned_away" {
  name        = "${var.name}/turned_away"
  description = "Deliveries that the platform refused before an instance saw them, by status"
  filter      = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${var.name}\" AND log_id(\"run.googleapis.com/requests\") AND httpRequest.status=(403 OR 429)"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"
    labels {
      key         = "status"
      value_type  = "STRING"
      description = "403 or 429"
    }
  }

  label_extractors = {
    status = "EXTRACT(httpRequest.status)"
  }

  depends_on = [google_project_service.api]
}
