# What the platform gives up on must be findable.
#
# The first record is the sidecar: EVENT_MAX_AGE_S after its first delivery the function settles a pair as failed
# and says why. Left over is what never got so far (an instance killed each time, a quota that kept every instance
# away), and what waits on purpose: the function is paused, the day's money is spent, no model can be reached.
#
# Eventarc makes the trigger's subscription itself, keeps an event for 24 hours and then drops it in silence; no
# resource of the provider can say otherwise (hashicorp/terraform-provider-google#17697, #25069). A topic and a
# subscription of our own, fed by a bucket notification, could carry a dead letter policy in plain Terraform, but
# would deliver Pub/Sub messages where the function expects the storage CloudEvent, so every one would need a
# translator in between. The direct trigger stays, and gcloud hangs the policy on its subscription.
#
# Whatever happens to the events, `python -m function redrive` finds manifests without a sidecar by the buckets
# alone and has them delivered again.

locals {
  dead_letters = var.use_gcloud ? 1 : 0

  # The most Pub/Sub takes. It counts every delivery, those before a pause too, and keeps to it as well as it can.
  delivery_attempts = 100

  # The platform's waits before the second delivery, the third and so on: 10, 20, 40 ... 320 s, then 600 s each.
  # Together 56,430 s: 15 hours and 40 minutes when every delivery is refused at once, as it is while paused.
  delivery_waits_s = [for n in range(local.delivery_attempts - 1) : min(600, 10 * pow(2, min(n, 6)))]
  waiting_hours    = ceil(sum(local.delivery_waits_s) / 3600)

  # The longest there is. Pub/Sub pushes no faster than it is acknowledged, and what waits for its turn uses no
  # delivery: 100,000 rows at 60 calls a minute take two days, at 10 two weeks (tests/bench/queue.py). With less, the
  # last of them would be dropped unseen.
  event_retention_days = 31

  # For the reader of an alert: what becomes of an event that cannot be settled for a long time.
  how_long = (var.use_gcloud
    ? "An event waits in the queue for about ${local.waiting_hours} hours (${local.delivery_attempts} deliveries), then for a month as a dead letter."
    : "An event waits in the queue for 24 hours and is then dropped, without gcloud (`use_gcloud`) there are no dead letters; its manifest stays in the bucket."
  )
}

# Events that no delivery settled.
resource "google_pubsub_topic" "dead_letter" {
  count = local.dead_letters

  name         = "${var.name}-dead-letter"
  kms_key_name = var.kms_key

  depends_on = [google_project_service.api, google_kms_crypto_key_iam_member.pubsub_agent]
}

# Keeps them for a month, the longest there is, until a person has looked; never expires for want of a reader.
resource "google_pubsub_subscription" "dead_letter" {
  count = local.dead_letters

  name                       = "${var.name}-dead-letter"
  topic                      = google_pubsub_topic.dead_letter[0].id
  message_retention_duration = "2678400s"
  ack_deadline_seconds       = 600

  expiration_policy {
    ttl = ""
  }
}

# Pub/Sub itself moves a message to the dead letters, on this topic and no other.
resource "google_pubsub_topic_iam_member" "dead_letter_publisher" {
  count = local.dead_letters

  topic  = google_pubsub_topic.dead_letter[0].id
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent

  depends_on = [google_project_iam_member.service_agent]
}

# Lets the topic be encrypted with the given key.
resource "google_kms_crypto_key_iam_member" "pubsub_agent" {
  count = var.kms_key == null ? 0 : local.dead_letters

  crypto_key_id = var.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = local.pubsub_agent

  depends_on = [google_project_service.chosen, google_project_iam_member.service_agent]
}

# Finds the trigger's subscription, lets Pub/Sub acknowledge on it what it has moved, and sets the policy. Done again
# whenever the function is deployed again: Cloud Functions then updates its trigger, and nothing promises that the
# subscription stays the same, with what was set on it. Each command can be repeated without harm.
resource "terraform_data" "dead_letter_policy" {
  count = local.dead_letters

  triggers_replace = [
    google_cloudfunctions2_function.composite.event_trigger[0].trigger,
    google_pubsub_topic.dead_letter[0].id,
    local.delivery_attempts,
    local.event_retention_days,
    local.deployed_as,
  ]

  provisioner "local-exec" {
    environment = {
      PROJECT  = var.project_id
      LOCATION = local.trigger_region
      TRIGGER  = google_cloudfunctions2_function.composite.event_trigger[0].trigger
      TOPIC    = google_pubsub_topic.dead_letter[0].id
      AGENT    = local.pubsub_agent
      ATTEMPTS = local.delivery_attempts
      KEPT     = "${local.event_retention_days}d"
    }
    command = <<-SCRIPT
      set -eu
      subscription=$(gcloud eventarc triggers describe "$TRIGGER" --project="$PROJECT" --location="$LOCATION" --format="value(transport.pubsub.subscription)")
      gcloud pubsub subscriptions add-iam-policy-binding "$subscription" --project="$PROJECT" --member="$AGENT" --role=roles/pubsub.subscriber --quiet > /dev/null
      gcloud pubsub subscriptions update "$subscription" --project="$PROJECT" --dead-letter-topic="$TOPIC" --max-delivery-attempts="$ATTEMPTS" --message-retention-duration="$KEPT" --quiet
    SCRIPT
  }

  depends_on = [google_pubsub_topic_iam_member.dead_letter_publisher]
}
