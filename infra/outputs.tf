output "input_bucket" {
  description = "Upload manifests, catalogues and images here."
  value       = local.input_bucket
}

output "output_bucket" {
  description = "Results and sidecars appear here."
  value       = local.output_bucket
}

output "function" {
  description = "The event-driven function."
  value       = google_cloudfunctions2_function.composite.id
}

output "http_url" {
  description = "Address of the HTTP function; null when no caller is named."
  value       = one(google_cloudfunctions2_function.composite_http[*].url)
}

output "service_accounts" {
  description = "The identities, for rights on buckets and keys that are not managed here."
  value       = { for name, account in google_service_account.this : name => account.email }
}

output "api_key_secret" {
  description = "Secret that the API key is read from; null in vertex mode."
  value       = local.secret_id
}

output "dead_letter_subscription" {
  description = "Where an event ends that no delivery settled; null without gcloud."
  value       = one(google_pubsub_subscription.dead_letter[*].name)
}

output "dashboard_url" {
  description = "The page to keep open."
  value       = "https://console.cloud.google.com/monitoring/dashboards/builder/${element(split("/", google_monitoring_dashboard.composite.id), length(split("/", google_monitoring_dashboard.composite.id)) - 1)}?project=${var.project_id}"
}

output "limits" {
  description = "What the model's quota was turned into: instances at the most, and pairs at once in each."
  value = {
    instances      = local.event_instances
    concurrency    = local.event_concurrency
    http_instances = length(var.http_invokers) == 0 ? 0 : local.http_instances
  }
}

output "spending_cap" {
  description = "Where spending stops. Printed after every apply, because it also stops work that is wanted."
  value = var.max_usd_per_day == null ? (
    "NO CAP: max_usd_per_day is null, and a mistake costs whatever the model's quota allows."
    ) : (
    "The model is not called any more once a day (UTC) has cost ${var.max_usd_per_day} USD. Raise max_usd_per_day in terraform.tfvars and apply."
  )
}

output "switch" {
  description = "How to stop, and how to go on. Nothing is lost by it."
  value = {
    paused    = var.paused
    at_once   = "python -m function pause gs://${local.input_bucket} (undone by resume)"
    by_rights = "terraform apply -var paused=true (undone by terraform apply)"
    how_long  = "${local.how_long} Afterwards: ${local.redrive}"
  }
}

output "results_subscription" {
  description = "Where messages of settled pairs wait to be pulled; null without notify_results."
  value       = one(google_pubsub_subscription.results[*].name)
}

output "signing_key" {
  description = "The key version that signs results, or will once there is its certificate; null without one."
  value       = local.signing_key
}
