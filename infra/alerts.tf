locals {
  channels = concat(var.notification_channels, [for c in google_monitoring_notification_channel.email : c.id])

  settled  = "${local.promql_prefix}_settled"
  requests = "run_googleapis_com:request_count{${local.promql_labels},service_name=\"${var.name}\"}"
  errors   = "run_googleapis_com:request_count{${local.promql_labels},service_name=\"${var.name}\",response_code_class=\"5xx\"}"

  # Eventarc names the subscription eventarc-<region>-<trigger>-sub-<number>, and Cloud Functions the trigger
  # <function>-<number>; the numbers are not known before they exist.
  trigger_subscription = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=starts_with(\"eventarc-${local.trigger_region}-${var.name}-\")"

  # Passing faults end as recorded failures event_max_age_seconds after the first delivery; the longest wait for the
  # next one (600 s) and that delivery itself come on top. An older event has not had its turn in a long queue, waits
  # on purpose (paused, no money, no model), or the function is not getting at it.
  oldest_event_seconds = var.event_max_age_seconds + 600 + local.timeout_seconds

  # Run in a work tree, with a person's rights; --dry-run only says which.
  redrive = "python -m function redrive gs://${local.input_bucket} --output gs://${local.output_bucket}"

  stop    = "`python -m function pause gs://${local.input_bucket}` stops at once (`resume` undoes it), `terraform apply -var paused=true` within minutes. No upload is lost by either: ${local.how_long} Whatever the queue has given up: `${local.redrive}`."
  day_cap = var.max_usd_per_day == null ? "not set" : "${var.max_usd_per_day} USD"

  # A log-based metric has no data and no name in PromQL before its first line; the policies are made at once.
  promql_alerts = {
    failures = {
      title    = "pairs fail"
      severity = "ERROR"
      query    = "sum(increase(${local.settled}{${local.promql_labels},status=\"failed\"}[1h])) >= ${var.alert_failures_per_hour}"
      advice   = "Pairs were settled as `failed`. The sidecar's `error` says why; the dashboard shows the codes. Mend the cause, then `${local.redrive} --failed`."
    }
    spend = {
      title    = "the model costs more than expected"
      severity = "ERROR"
      query    = "${local.promql_spent["1h"]} > ${var.alert_usd_per_hour}"
      advice   = "More than ${var.alert_usd_per_hour} USD went to the model within an hour, calls without an answer included, which are perhaps billed. Somebody uploaded a large catalogue, or pairs take many attempts; the dashboard shows which model. To stop: ${local.stop} By itself it ends at `max_usd_per_day`, which is ${local.day_cap}."
    }
    server_errors = {
      title    = "most deliveries are answered 5xx"
      severity = "ERROR"
      query    = "sum(rate(${local.errors}[15m])) / sum(rate(${local.requests}[15m])) > 0.5"
      advice   = "A few 5xx are normal: they ask for another delivery. More than half for a quarter of an hour means a crash, memory that does not suffice, or a service that is down. Read the logs of severity ERROR. It is meant while the function is paused (`pause`), the day's money is spent or no model can be reached: the dashboard's deliveries by code tell."
    }
    no_acceptance = {
      title    = "nothing is accepted any more"
      severity = "WARNING"
      query    = "sum(increase(${local.settled}{${local.promql_labels}}[2h])) >= 10 unless sum(increase(${local.settled}{${local.promql_labels},status=\"accepted\"}[2h])) > 0"
      advice   = "Ten pairs or more were settled within two hours and none was accepted. The model has changed, or the pictures have: look at some results and their `checks`."
    }
  }
}

# Where alerts go by mail.
resource "google_monitoring_notification_channel" "email" {
  for_each = toset(var.alert_emails)

  display_name = "${var.name}: ${each.value}"
  type         = "email"
  labels       = { email_address = each.value }

  depends_on = [google_project_service.api]
}

# What a person should be told of, as far as the function's own lines and requests show it.
resource "google_monitoring_alert_policy" "promql" {
  for_each = local.promql_alerts

  display_name          = "${var.name}: ${each.value.title}"
  severity              = each.value.severity
  combiner              = "OR"
  notification_channels = local.channels

  conditions {
    display_name = each.value.title
    condition_prometheus_query_language {
      query                     = each.value.query
      duration                  = "0s"
      evaluation_interval       = "60s"
      disable_metric_validation = true
    }
  }

  documentation {
    content   = each.value.advice
    mime_type = "text/markdown"
  }

  alert_strategy {
    auto_close = "86400s"
  }

  depends_on = [google_logging_metric.settled, google_logging_metric.measured, google_logging_metric.spent]
}

# An event that is not settled long after the function should have recorded it as failed. It tells of what no
# log line can: the function is not reached at all, and the event is on its way to the dead letters.
resource "google_monitoring_alert_policy" "oldest_event" {
  display_name          = "${var.name}: an event waits too long"
  severity              = "CRITICAL"
  combiner              = "OR"
  notification_channels = local.channels

  conditions {
    display_name = "oldest unsettled event"
    condition_threshold {
      filter          = "${local.trigger_subscription} AND metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\""
      comparison      = "COMPARISON_GT"
      threshold_value = local.oldest_event_seconds
      duration        = "300s"
      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_MAX"
        cross_series_reducer = "REDUCE_MAX"
      }
    }
  }

  documentation {
    content   = "The oldest unsettled event is older than ${local.oldest_event_seconds} s. Events wait on purpose while the function is paused (by `pause` or by `paused = true`), the day's money is spent or no model can be reached, and a large catalogue may only be waiting its turn (see the backlog on the dashboard); otherwise the function does not start or does not answer. ${local.how_long} `${local.redrive}` delivers again what has no sidecar."
    mime_type = "text/markdown"
  }

  alert_strategy {
    auto_close = "86400s"
  }

  depends_on = [google_project_service.api]
}

# A dead letter: the platform has given up on an upload.
resource "google_monitoring_alert_policy" "dead_letter" {
  count = local.dead_letters

  display_name          = "${var.name}: dead letters"
  severity              = "CRITICAL"
  combiner              = "OR"
  notification_channels = local.channels

  conditions {
    display_name = "messages in the dead letter subscription"
    condition_threshold {
      filter          = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${google_pubsub_subscription.dead_letter[0].name}\" AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  documentation {
    content   = "An event was delivered ${local.delivery_attempts} times in vain, over ${local.waiting_hours} hours or so: the function was paused, without money or without a model for that long, or its instance is killed each time. Nothing is lost. See which: `gcloud pubsub subscriptions pull ${google_pubsub_subscription.dead_letter[0].name} --limit=10`. End the cause, then `${local.redrive}`, then acknowledge (`--auto-ack`)."
    mime_type = "text/markdown"
  }

  alert_strategy {
    auto_close = "86400s"
  }
}
