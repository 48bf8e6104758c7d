# What a person is told, and what is found when the platform gives up.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}
mock_provider "google" {
  alias = "billing"
}
mock_provider "archive" {}
mock_provider "time" {}
mock_provider "random" {}

variables {
  project_id = "demo-project"
  use_gcloud = false
}

run "metrics" {
  command = apply

  assert {
    condition     = strcontains(google_logging_metric.settled.filter, "jsonPayload.message=\"settled\"") && google_logging_metric.settled.label_extractors["status"] == "EXTRACT(jsonPayload.status)"
    error_message = "Pairs would not be counted by status: this is the function's own log line."
  }

  assert {
    condition     = alltrue([for k in ["usd", "attempts", "prompt_tokens", "output_tokens", "age_seconds", "generate_ms", "restore_ms", "total_ms"] : contains(keys(google_logging_metric.measured), k)])
    error_message = "Money, attempts, tokens, age and the seconds of each stage must be measured."
  }

  assert {
    condition     = google_logging_metric.measured["usd"].value_extractor == "EXTRACT(jsonPayload.usd)" && google_logging_metric.measured["generate_ms"].value_extractor == "EXTRACT(jsonPayload.timings_ms.generate)"
    error_message = "A metric must read the field that the function logs."
  }

  assert {
    condition = { for k, m in google_logging_metric.spent : k => [one(regex("jsonPayload.message=\"([^\"]+)\"", m.filter)), m.value_extractor, m.label_extractors["model"]] } == {
      answered_usd   = ["model answered", "EXTRACT(jsonPayload.usd)", "EXTRACT(jsonPayload.model)"]
      unanswered_usd = ["model call without an answer", "EXTRACT(jsonPayload.usd_at_most)", "EXTRACT(jsonPayload.model)"]
    }
    error_message = "Money must be counted by the call, by the model that answered; a call without an answer is perhaps billed."
  }

  assert {
    condition     = alltrue([for m in google_logging_metric.spent : one(one(m.metric_descriptor).labels).key == "model"])
    error_message = "A label that the descriptor does not know is refused."
  }

  assert {
    condition     = alltrue([for m in concat(values(google_logging_metric.measured), values(google_logging_metric.spent), [google_logging_metric.settled, google_logging_metric.deliver_again]) : strcontains(m.filter, "service_name=~\"^composite(-http)?$\"")])
    error_message = "A metric must count this deployment's lines only, not another's in the same project."
  }

  assert {
    condition     = length(jsondecode(google_monitoring_dashboard.composite.dashboard_json).mosaicLayout.tiles) == 21
    error_message = "The dashboard must show its nineteen charts, the models and the log."
  }

  assert {
    condition = [for t in jsondecode(google_monitoring_dashboard.composite.dashboard_json).mosaicLayout.tiles : t.widget.xyChart.thresholds if try(length(t.widget.xyChart.thresholds), 0) > 0] == [
      [{ label = "objective", value = 0.99 }],
      [{ label = "objective", value = 60 }],
      [{ label = "max_usd_per_day", value = 25 }],
    ]
    error_message = "The objectives, and a day's spending against its cap, must be seen as lines."
  }

  assert {
    condition = alltrue([for metric in ["answered_usd", "unanswered_usd"] :
      strcontains(google_monitoring_dashboard.composite.dashboard_json, "sum by (model) (increase(logging_googleapis_com:user_composite_${metric}_sum{monitored_resource=\\\"cloud_run_revision\\\"}[24h]))")
    ])
    error_message = "A day's money must be seen by model, with what is perhaps billed."
  }

  assert {
    condition     = alltrue([for t in jsondecode(google_monitoring_dashboard.composite.dashboard_json).mosaicLayout.tiles : t.xPos + t.width <= 48])
    error_message = "A tile outside the grid is refused."
  }

  assert {
    condition     = length(google_pubsub_subscription.dead_letter) == 0 && strcontains(output.switch.how_long, "24 hours and is then dropped")
    error_message = "Without gcloud nothing extends the platform's 24 hours, and the texts must not promise more."
  }

  assert {
    condition     = length(google_billing_budget.monthly) == 0
    error_message = "A budget takes rights on the billing account, which not every team has."
  }
}

run "alerts" {
  command = apply

  variables {
    alert_emails          = ["ops@example.com"]
    notification_channels = ["projects/demo-project/notificationChannels/42"]
  }

  assert {
    condition     = toset(keys(google_monitoring_alert_policy.promql)) == toset(["stalled", "refused", "failures", "spend", "dear_pairs", "model_busy", "server_errors", "no_acceptance"])
    error_message = "A standstill, a refused trigger, failures, spending, dear pairs, a used-up quota, 5xx and the lack of any acceptance must raise an alert."
  }

  assert {
    condition     = alltrue([for p in concat(values(google_monitoring_alert_policy.promql), values(google_monitoring_alert_policy.log)) : contains(p.notification_channels, "projects/demo-project/notificationChannels/42") && length(p.notification_channels) == 2])
    error_message = "An alert that reaches nobody is none: every policy must use every channel."
  }

  assert {
    condition     = alltrue([for p in google_monitoring_alert_policy.promql : one(one(p.conditions).condition_prometheus_query_language).disable_metric_validation])
    error_message = "On the first apply the metrics have no data yet and the policies would be refused."
  }

  assert {
    condition     = strcontains(one(one(google_monitoring_alert_policy.promql["stalled"].conditions).condition_prometheus_query_language).query, "subscription_id=~\"eventarc-us-central1-composite-.*\"")
    error_message = "The alert must watch the trigger's own subscription."
  }

  assert {
    condition     = google_monitoring_alert_policy.promql["stalled"].severity == "CRITICAL" && one(one(google_monitoring_alert_policy.promql["stalled"].conditions).condition_prometheus_query_language).duration == "900s"
    error_message = "Work that waits while nothing is done for 15 minutes is the alert that wakes people."
  }

  assert {
    condition     = alltrue([for p in google_monitoring_alert_policy.promql : p.enabled])
    error_message = "Every alert must be on while the function is."
  }

  assert {
    condition     = alltrue([for p in concat(values(google_monitoring_alert_policy.promql), values(google_monitoring_alert_policy.log)) : length(one(p.documentation).content) > 80])
    error_message = "Whoever is woken must read what to do."
  }

  assert {
    condition = one(one(google_monitoring_alert_policy.promql["spend"].conditions).condition_prometheus_query_language).query == join("", [
      "(sum(increase(logging_googleapis_com:user_composite_answered_usd_sum{monitored_resource=\"cloud_run_revision\"}[1h])) or vector(0))",
      " + (sum(increase(logging_googleapis_com:user_composite_unanswered_usd_sum{monitored_resource=\"cloud_run_revision\"}[1h])) or vector(0))",
      " > 20",
    ])
    error_message = "Spending is what answered calls cost and what unanswered ones may cost; pairs that were never settled cost as well."
  }

  assert {
    condition = alltrue([for words in ["python -m function pause gs://demo-project-composite-input", "`resume`", "terraform apply -var paused=true", "`max_usd_per_day`, which is 25 USD", "24 hours and is then dropped"] :
      strcontains(one(google_monitoring_alert_policy.promql["spend"].documentation).content, words)
    ])
    error_message = "Whoever is told of the money must read how to stop it, where it stops by itself, and for how long events wait."
  }

  assert {
    condition     = !strcontains(one(google_monitoring_alert_policy.promql["spend"].documentation).content, "model_requests_per_minute")
    error_message = "A lower rate does not stop a queue: it spends the same money more slowly."
  }

  assert {
    condition = { for k, p in google_monitoring_alert_policy.log : k => p.severity } == {
      no_model   = "CRITICAL"
      budget     = "ERROR"
      memory     = "ERROR"
      batch      = "WARNING"
      retirement = "WARNING"
    }
    error_message = "A deployment without a model, without money or without memory, and a model that ends, must be told of at the first line."
  }

  assert {
    condition     = alltrue([for p in google_monitoring_alert_policy.log : strcontains(one(one(p.conditions).condition_matched_log).filter, "service_name=~\"^composite(-http)?$\"") && contains(["21600s", "86400s"], one(one(p.alert_strategy).notification_rate_limit).period)])
    error_message = "Only this deployment's lines, and not a message for each of them: Cloud Monitoring refuses such a policy without a rate."
  }

  assert {
    condition     = strcontains(one(google_monitoring_alert_policy.log["no_model"].documentation).content, "gemini-2.5-flash-image, gemini-nano-banana-2.1, gemini-3.1-flash-lite-image can be reached")
    error_message = "The alert must name the models that were asked."
  }

  assert {
    condition     = one(one(google_monitoring_alert_policy.log["budget"].conditions).condition_matched_log).label_extractors["account"] == "EXTRACT(jsonPayload.account)"
    error_message = "A day's money comes back at midnight, a catalogue's never: the alert must say which it is."
  }

  assert {
    condition = alltrue([for words in ["$${log.extracted_label.account}", "`max_usd_per_day` is 25 USD", "midnight UTC", "never refills", "`budget_usd`", "Events wait for it"] :
      strcontains(one(google_monitoring_alert_policy.log["budget"].documentation).content, words)
    ])
    error_message = "The alert must say when the money comes back, and how to raise it."
  }
}

run "paused" {
  command = plan

  variables {
    paused = true
  }

  assert {
    condition     = { for k, p in google_monitoring_alert_policy.promql : k => p.enabled if !p.enabled } == { stalled = false, refused = false }
    error_message = "While deliveries are refused on purpose, nobody must be woken for it; everything else is still watched."
  }
}

run "thresholds_follow_the_cap_and_the_model" {
  command = plan

  variables {
    max_usd_per_day = 600
    model           = "gemini-3-pro-image"
  }

  assert {
    condition     = endswith(one(one(google_monitoring_alert_policy.promql["spend"].conditions).condition_prometheus_query_language).query, " > 480")
    error_message = "Who has raised the cap for a large catalogue must not be woken by it: 80 % of the day's money within an hour is the alert."
  }

  assert {
    condition     = endswith(one(one(google_monitoring_alert_policy.promql["dear_pairs"].conditions).condition_prometheus_query_language).query, " > 0.336")
    error_message = "A dearer model makes dearer pairs: two and a half of its pictures at 0.1344 USD are the limit."
  }
}

run "without_a_cap" {
  command = plan

  variables {
    max_usd_per_day = null
    on_budget       = "fail"
  }

  assert {
    condition     = !strcontains(google_monitoring_dashboard.composite.dashboard_json, "max_usd_per_day\"")
    error_message = "There is no line to draw."
  }

  assert {
    condition     = strcontains(google_monitoring_alert_policy.promql["spend"].documentation[0].content, "`max_usd_per_day`, which is not set")
    error_message = "Whoever is told of the money must know that nothing ends it."
  }

  assert {
    condition     = strcontains(google_monitoring_alert_policy.log["budget"].documentation[0].content, "recorded as `budget_exhausted` until then") && !strcontains(google_monitoring_alert_policy.log["budget"].documentation[0].content, "Events wait for it")
    error_message = "With on_budget = fail nothing waits, and the text must not say so."
  }
}

run "dead_letters" {
  command = plan

  variables {
    use_gcloud = true
  }

  assert {
    condition     = google_pubsub_subscription.dead_letter[0].message_retention_duration == "2678400s" && one(google_pubsub_subscription.dead_letter[0].expiration_policy).ttl == ""
    error_message = "Dead letters must wait a month for a person, and their subscription must not expire for want of a reader."
  }

  assert {
    condition     = google_pubsub_topic_iam_member.dead_letter_publisher[0].role == "roles/pubsub.publisher"
    error_message = "Pub/Sub must be allowed to publish to the dead letters, on that topic only; else they are dropped."
  }

  assert {
    condition     = length(terraform_data.dead_letter_policy) == 1
    error_message = "Nothing would hang the dead letter topic on the trigger's subscription."
  }

  assert {
    condition     = length(google_monitoring_alert_policy.dead_letter) == 1 && one(one(google_monitoring_alert_policy.dead_letter[0].conditions).condition_threshold).threshold_value == 0
    error_message = "The first dead letter must raise an alert."
  }

  assert {
    condition     = sum(local.delivery_waits_s) == 10 + 20 + 40 + 80 + 160 + 320 + 93 * 600 && length(local.delivery_waits_s) == 99
    error_message = "A hundred deliveries are 99 waits, doubled from 10 s to 600 s: 15 hours and 40 minutes. Texts would promise another time."
  }

  assert {
    condition     = strcontains(output.switch.how_long, "about 16 hours (100 deliveries)")
    error_message = "Whoever pauses must know for how long the queue carries an event."
  }

  assert {
    condition     = local.delivery_attempts * (600 + local.timeout_seconds) < local.event_retention_days * 86400
    error_message = "An event could be dropped before its deliveries are used up and it is a dead letter."
  }
}

run "budget" {
  command = plan

  variables {
    billing_account = "012345-6789AB-CDEF01"
    monthly_budget  = 700
  }

  assert {
    condition     = one(one(google_billing_budget.monthly[0].amount).specified_amount).units == "700" && one(google_billing_budget.monthly[0].budget_filter).projects == toset(["projects/123456789012"])
    error_message = "The budget must be the given one, for this project alone."
  }

  assert {
    condition     = contains(keys(google_project_service.chosen), "billingbudgets.googleapis.com")
    error_message = "The budget's API must be on before the budget is made."
  }
}

run "models_that_end" {
  command = plan

  variables {
    model       = "gemini-3.1-flash-image"
    judge_model = "gemini-2.5-flash-lite"
  }

  assert {
    condition     = strcontains(google_monitoring_dashboard.composite.dashboard_json, "`gemini-3.1-flash-image` is shut down on 2026-10-29: choose another model") && strcontains(google_monitoring_dashboard.composite.dashboard_json, "`gemini-2.5-flash-lite`: no date announced")
    error_message = "The dashboard must say which models end, and mark those that end soon."
  }
}
