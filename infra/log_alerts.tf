locals {
  # What happens to a pair that comes when the day's money is spent.
  waiting = var.on_budget == "wait" ? "Events wait for it. ${local.how_long} Money that was gone early in the day comes too late for some of them: `${local.redrive}`." : "Pairs are recorded as `budget_exhausted` until then; afterwards `${local.redrive} --failed`."

  # Lines that a person must hear of at the first one.
  log_alerts = {
    no_model = {
      title    = "no model can be reached"
      severity = "CRITICAL"
      filter   = "${local.log_filter} AND jsonPayload.message=\"no model can be reached\""
      told     = "21600s"
      labels   = {}
      advice   = "Not one of ${join(", ", distinct(concat([var.model], var.fallback_models)))} can be reached: retired, not open to this project, or not served in `${var.auth == "vertex" ? var.model_location : "the Gemini API"}`. Nothing is recorded as failed. `python -m function doctor` says what each model answers; set `model` or `fallback_models` to one that does, and apply. ${local.how_long} Afterwards: `${local.redrive}`."
    }
    budget = {
      title    = "a budget is spent"
      severity = "ERROR"
      filter   = "${local.log_filter} AND jsonPayload.message=\"budget exhausted\""
      told     = "21600s"
      labels   = { account = "EXTRACT(jsonPayload.account)" }
      advice   = "The money of this account is spent, and no model is called for it: $${log.extracted_label.account}.\n\n`day`: `max_usd_per_day` is ${local.day_cap}. It refills at midnight UTC; to go on before, raise it in terraform.tfvars and apply. ${local.waiting}\n\n`catalogue`: it never refills. What is left of it is recorded as `budget_exhausted`. Raise `max_usd_per_catalogue`, or `budget_usd` in the catalogue itself, then `${local.redrive} --failed`."
    }
    batch = {
      title    = "a batch job is in trouble"
      severity = "WARNING"
      filter   = "${local.log_filter} AND jsonPayload.message=\"batch job in trouble\""
      told     = "21600s"
      labels   = { reason = "EXTRACT(jsonPayload.reason)" }
      advice   = "$${log.extracted_label.reason}.\n\n`python -m function batches list gs://${local.output_bucket}` shows every job, what went wrong with it and what waits. Nothing is lost: a refused creation is tried again each hour, a job is cancelled at its catalogue's deadline, and what is open then is asked for at full price. Not to wait: `python -m function batches cancel gs://${local.output_bucket} all`."
    }
    # The platform's own line, about the instance that it ends.
    memory = {
      title    = "an instance has reached its memory limit"
      severity = "ERROR"
      filter   = "${local.log_filter} AND textPayload=~\"(Memory limit of .* exceeded|found to be using too much memory)\""
      told     = "21600s"
      labels   = {}
      advice   = "An instance needed more than its ${var.memory_gib} GiB and was ended, with all that it was working on; those deliveries come again. If it happens again: `memory_gib` up, or `concurrency` (${var.concurrency}) down, and apply. The log line before it names the manifests that were at work."
    }
    # Each instance says so when it starts; Settings.warnings.
    retirement = {
      title    = "a model is near its end"
      severity = "WARNING"
      filter   = "${local.log_filter} AND severity=WARNING AND jsonPayload.message=~\"(will be|was) shut down on [0-9-]+\""
      told     = "86400s"
      labels   = { warning = "EXTRACT(jsonPayload.message)" }
      advice   = "$${log.extracted_label.warning}.\n\nSet `model`, `fallback_models` or `judge_model` in terraform.tfvars and apply; try the successor on some of your own pairs first (`model` in a manifest)."
    }
  }
}

# What one line is enough for. By the line itself, not by a metric of it: no minutes go by, and the very first counts.
resource "google_monitoring_alert_policy" "log" {
  for_each = local.log_alerts

  display_name          = "${var.name}: ${each.value.title}"
  severity              = each.value.severity
  combiner              = "OR"
  notification_channels = local.channels

  conditions {
    display_name = each.value.title
    condition_matched_log {
      filter           = each.value.filter
      label_extractors = each.value.labels
    }
  }

  documentation {
    content   = each.value.advice
    mime_type = "text/markdown"
  }

  # Every waiting event repeats the line at least each ten minutes, every new instance that of its model: told a few
  # times a day, closed an hour after the last one.
  alert_strategy {
    auto_close = "3600s"
    notification_rate_limit {
      period = each.value.told
    }
  }

  depends_on = [google_project_service.api]
}
