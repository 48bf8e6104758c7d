# Told when a pair is settled: what the output bucket stores is published to a topic. No code of the function takes part.

# What a shop's other systems listen to.
resource "google_pubsub_topic" "results" {
  count = var.notify_results ? 1 : 0

  name         = "${var.name}-results"
  kms_key_name = var.kms_key

  depends_on = [google_project_service.api, google_kms_crypto_key_iam_member.pubsub_agent]
}

# Storage's own agent publishes to this topic; without the right the notification is refused.
resource "google_pubsub_topic_iam_member" "results_publisher" {
  count = var.notify_results ? 1 : 0

  topic  = google_pubsub_topic.results[0].id
  role   = "roles/pubsub.publisher"
  member = data.google_storage_project_service_account.this.member
}

# Only what is stored: leases and working records are deleted all the time.
resource "google_storage_notification" "results" {
  count = var.notify_results ? 1 : 0

  bucket         = local.output_bucket
  topic          = google_pubsub_topic.results[0].id
  payload_format = "JSON_API_V1"
  event_types    = ["OBJECT_FINALIZE"]

  depends_on = [google_pubsub_topic_iam_member.results_publisher]
}

# A notification takes no ending, and its one prefix cannot leave out; a subscription can leave out prefixes.
resource "google_pubsub_subscription" "results" {
  count = var.notify_results ? 1 : 0

  name                       = "${var.name}-results"
  topic                      = google_pubsub_topic.results[0].id
  filter                     = join(" AND ", [for prefix in ["_work/", "_budget/", "_http/"] : "NOT hasPrefix(attributes.objectId, \"${prefix}\")"])
  message_retention_duration = "604800s"
  ack_deadline_seconds       = 60

  expiration_policy {
    ttl = ""
  }
}
