locals {
  channels = concat(var.notification_channels, [for c in google_monitoring_notification_channel.email : c.id])

  settled  = "${local.promql_prefix}_settled"
  requests = "run_googleapis_com:request_count{${local.promql_labels},service_name=\"${var.name}\"}"
  errors   = "run_googleapis_com:request_count{${local.promql_labels},service_name=\"${var.name}\",response_code_class=\"5xx\"}"

  # Eventarc names the subscription eventarc-<region>-<trigger>-sub-<number>, and Cloud Functions the trigger
  # <function>-<number>; the numbers are not known before they exist.
  subscription_prefix  = "eventarc-${local.trigger_region}-${var.name}-"
  trigger_subscription = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=starts_with(\"${local.subscription_prefix}\")"
  backlog              = "sum(pubsub_googleapis_com:subscription_num_undelivered_messages{monitored_resource=\"pubsub_subscription\",subscription_id=~\"${local.subscription_prefix}.*\"})"

  # Counts over a window; one without any line yet is no series at all, and a sum with it would be none.
  count_of = { for name, series in {
    acknowledged  = "run_googleapis_com:request_count{${local.promql_labels},service_name=\"${var.name}\",response_code_class=\"2xx\"}"
    asked_again   = "${local.promql_prefix}_deliver_again{${local.promql_labels}}"
    settled       = "${local.settled}{${local.promql_labels}}"
    failed        = "${local.settled}{${local.promql_labels},status=\"failed\"}"
    accepted      = "${local.settled}{${local.promql_labels},status=\"accepted\"}"
    put_off       = "${local.promql_prefix}_model_busy{${local.promql_labels},status=\"429\"}"
    answered      = "${local.promql_prefix}_answered_usd_count{${local.promql_labels}}"
    server_errors = local.errors
    requests      = local.requests
    refused       = "${local.promql_prefix}_turned_away{${local.promql_labels},status=\"403\"}"
  } : name => { for window in ["5m", "15m", "30m", "1h", "2h"] : window => "(sum(increase(${series}[${window}])) or vector(0))" } }

  # Run in a work tree, with a person's rights; --dry-run only says which.
  redrive = "python -m function redrive gs://${local.input_bucket} --output gs://${local.output_bucket}"

  stop    = "`python -m function pause gs://${local.input_bucket}` stops at once (`resume` undoes it), `terraform apply -var paused=true` within minutes. No upload is lost by either: ${local.how_long} Whatever the queue has given up: `${local.redrive}`."
  day_cap = var.max_usd_per_day == null ? "not set" : "${var.max_usd_per_day} USD"

  # An hour that costs most of what a whole day may cost: a catalogue that was planned for is not told of.
  most_of_a_day      = 0.8
  alert_usd_per_hour = coalesce(var.alert_usd_per_hour, var.max_usd_per_day == null ? 20 : local.most_of_a_day * coalesce(var.max_usd_per_day, 1))

  # What a pair ordinarily costs is 1.2 pictures of its model; every pair at its third attempt is more than this.
  pictures_of_a_dear_pair = 2.5
  picture_usd = [for id in distinct(concat([var.model], var.fallback_models)) : try(
    local.models.models[id].usd_per_million.output_image * local.models.models[id].output_image_tokens[coalesce(var.max_image_size, "1K")] / 1000000, 0
  )]
  alert_usd_per_pair = coalesce(var.alert_usd_per_pair, tonumber(format("%.3f", max(0.04, local.picture_usd...) * local.pictures_of_a_dear_pair)))

  # `holds`: how long a condition must hold, without a break. A log-based metric has no data and no name in PromQL before
  # its first line; the policies are made at once. tests/test_alerts.py evaluates them on a simulated queue: an
  # ordinary catalogue of 10,000 rows raises none.
  promql_alerts = {
    stalled = {
      title    = "work waits and nothing is done"
      severity = "CRITICAL"
      enabled  = !var.paused
      holds    = "900s"
      # A waiting event comes again after 600 s at the most, and is acknowledged or asked again then.
      query  = "${local.backlog} > 0 unless ${local.count_of.acknowledged["5m"]} + ${local.count_of.asked_again["5m"]} > 0"
      advice = "For at least 15 minutes events have been waiting and none was settled, or asked to come again: the function does not start, does not answer, or is not called. The logs of severity ERROR say which; the table in infra/README.md has the commands. ${local.how_long} Afterwards: `${local.redrive}`."
    }
    refused = {
      title    = "the trigger is refused"
      severity = "CRITICAL"
      enabled  = !var.paused
      holds    = "1200s" # longer than the window: what `paused` has refused is over when this begins to count
      query    = "${local.count_of.refused["15m"]} > 0"
      advice   = "Cloud Run answers 403 to the deliveries: the trigger's account has lost `roles/run.invoker` on the service, or ingress was changed. `terraform plan` shows what differs, `terraform apply` restores it. ${local.how_long}"
    }
    failures = {
      title    = "pairs fail"
      severity = "ERROR"
      enabled  = true
      holds    = "0s"
      query    = "${local.count_of.failed["1h"]} >= ${var.alert_failures_per_hour} and ${local.count_of.failed["1h"]} / ${local.count_of.settled["1h"]} > ${var.alert_failed_share}"
      advice   = "Pairs were settled as `failed`: more than ${var.alert_failed_share * 100} % of an hour's, and at least ${var.alert_failures_per_hour}. The sidecar's `error` says why; the dashboard shows the codes. Mend the cause, then `${local.redrive} --failed`."
    }
    spend = {
      title    = "the model costs more than expected"
      severity = "ERROR"
      enabled  = true
      holds    = "0s"
      query    = "${local.promql_spent["1h"]} > ${local.alert_usd_per_hour}"
      advice   = "More than ${local.alert_usd_per_hour} USD went to the model within an hour, calls without an answer included, which are perhaps billed. Somebody uploaded a large catalogue, or pairs take many attempts; the dashboard shows which model. To stop: ${local.stop} By itself it ends at `max_usd_per_day`, which is ${local.day_cap}."
    }
    dear_pairs = {
      title    = "a pair costs more than it should"
      severity = "WARNING"
      enabled  = true
      holds    = "0s"
      # As much money as ten such pairs, so that a single one with three attempts is no news; paid for and not settled counts.
      query  = "${local.promql_spent["1h"]} > ${10 * local.alert_usd_per_pair} and (${local.promql_spent["1h"]}) / (${local.count_of.settled["1h"]} + 1) > ${local.alert_usd_per_pair}"
      advice = "A settled pair has cost more than ${local.alert_usd_per_pair} USD, on the mean of an hour. Pairs take several pictures each, a dearer model stands in, or calls are paid for and their pairs are never settled: the dashboard shows attempts, models, and what has no answer. To stop: ${local.stop}"
    }
    model_busy = {
      title    = "the model's quota is used up"
      severity = "WARNING"
      enabled  = true
      holds    = "0s"
      query    = "${local.count_of.put_off["30m"]} >= 20 and ${local.count_of.put_off["30m"]} / (${local.count_of.put_off["30m"]} + ${local.count_of.answered["30m"]}) > ${var.alert_put_off_share}"
      advice   = "More than ${var.alert_put_off_share * 100} % of the calls within half an hour were answered 429. Somebody else uses the same quota, or it is smaller than `model_requests_per_minute` (${var.model_requests_per_minute}): set that to what the quota page says, or ask for more. Nothing is lost: calls come again, pairs take longer."
    }
    server_errors = {
      title    = "most deliveries are answered 5xx unasked"
      severity = "ERROR"
      enabled  = true
      holds    = "0s"
      query    = "(${local.count_of.server_errors["15m"]} - ${local.count_of.asked_again["15m"]}) / ${local.count_of.requests["15m"]} > 0.5"
      advice   = "The function asks for another delivery with a 503 and a line that says why; these are without such a line. More than half for a quarter of an hour means a crash, memory that does not suffice, or a deadline that the platform cuts off. Read the logs of severity ERROR."
    }
    no_acceptance = {
      title    = "nothing is accepted any more"
      severity = "WARNING"
      enabled  = true
      holds    = "0s"
      query    = "${local.count_of.settled["2h"]} >= 10 unless ${local.count_of.accepted["2h"]} > 0"
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
  enabled               = each.value.enabled
  notification_channels = local.channels

  conditions {
    display_name = each.value.title
    condition_prometheus_query_language {
      query                     = each.value.query
      duration                  = each.value.holds
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

  depends_on = [google_logging_metric.settled, google_logging_metric.measured, google_logging_metric.spent, google_logging_metric.deliver_again, google_logging_metric.model_busy, google_logging_metric.turned_away]
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
    content   = "An event was delivered ${local.delivery_attempts} times without success, over ${local.waiting_hours} hours or so: the function was paused, without money or without a model for that long, or its instance is killed each time. Nothing is lost. See which: `gcloud pubsub subscriptions pull ${google_pubsub_subscription.dead_letter[0].name} --limit=10`. End the cause, then `${local.redrive}`, then acknowledge (`--auto-ack`)."
    mime_type = "text/markdown"
  }

  alert_strategy {
    auto_close = "86400s"
  }
}
