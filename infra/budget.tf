# A month's money for the whole project, made only where a billing account is given: it takes rights there. It only
# warns. Billing learns of a cost hours later, and nothing stops by it: what holds is max_usd_per_day, which the
# function asks before each call. The hourly alert on spending is quick and knows the model only; this one is slow
# and knows every service.
resource "google_billing_budget" "monthly" {
  count    = var.billing_account == null ? 0 : 1
  provider = google.billing

  billing_account = var.billing_account
  display_name    = "${var.name} in ${var.project_id}"

  budget_filter {
    projects = ["projects/${data.google_project.this.number}"]
  }

  amount {
    specified_amount {
      units = tostring(var.monthly_budget)
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]
    content {
      threshold_percent = threshold_rules.value
    }
  }

  threshold_rules {
    threshold_percent = 1.0
    spend_basis       = "FORECASTED_SPEND"
  }

  all_updates_rule {
    monitoring_notification_channels = local.channels
  }

  depends_on = [google_project_service.chosen]
}
