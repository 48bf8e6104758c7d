# Values that would fail late, cost money or open a door are refused in the plan, by name.

mock_provider "google" {
  mock_data "google_storage_bucket" {
    defaults = { uniform_bucket_level_access = true }
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

# One plan for all of them: Terraform names every variable that is wrong, as a user with two mistakes expects.
run "every_bad_value_is_refused" {
  command = plan

  variables {
    project_id                = "My Project"
    region                    = "US"
    name                      = "a-name-that-is-far-too-long"
    labels                    = { Team = "Shop" }
    existing_input_bucket     = "gs://shop-uploads"
    allowed_buckets           = ["gs://shared-pictures"]
    allowed_prefixes          = ["team-a/,team-b/"]
    source_formats            = ["gif"]
    kms_key                   = "my-key"
    soft_delete_days          = 3
    input_versions_days       = 0
    input_expiry_days         = 7
    auth                      = "none"
    api_key_secret            = "AIza-not-a-secret-name"
    api_key_secret_version    = 0
    model                     = "models/gemini 2.5"
    fallback_models           = ["gemini-nano-banana-2.1", ""]
    allowed_models            = ["gemini-2.5-flash-image,gemini-3-pro-image"]
    max_image_size            = "512"
    thinking_level            = "none"
    identity                  = "soft"
    max_usd_per_day           = 0
    max_usd_per_catalogue     = -1
    on_budget                 = "stop"
    model_location            = "Earth"
    max_px                    = 128
    max_attempts              = 0
    model_requests_per_minute = 0
    pair_seconds              = 0
    concurrency               = 0
    cpu                       = 0.5
    min_instances             = -1
    event_deadline_seconds    = 540
    event_max_age_seconds     = 90000
    http_invokers             = ["allUsers"]
    http_ingress              = "OPEN"
    alert_emails              = ["ops"]
    notification_channels     = ["42"]
    alert_failures_per_hour   = 0
    alert_usd_per_hour        = 0
    alert_usd_per_pair        = 0
    alert_failed_share        = 1
    alert_put_off_share       = 0
    billing_account           = "my-account"
    monthly_budget            = 0.5
    signing_key               = "projects/p/locations/l/keyRings/r/cryptoKeys/k" # no version
    timestamp_url             = "time.example.com"
    rights_metadata           = "some"
  }

  expect_failures = [
    var.project_id,
    var.region,
    var.name,
    var.labels,
    var.existing_input_bucket,
    var.allowed_buckets,
    var.allowed_prefixes,
    var.source_formats,
    var.kms_key,
    var.soft_delete_days,
    var.input_versions_days,
    var.input_expiry_days,
    var.auth,
    var.signing_key,
    var.timestamp_url,
    var.rights_metadata,
    var.api_key_secret,
    var.api_key_secret_version,
    var.model,
    var.fallback_models,
    var.allowed_models,
    var.max_image_size,
    var.thinking_level,
    var.identity,
    var.max_usd_per_day,
    var.max_usd_per_catalogue,
    var.on_budget,
    var.model_location,
    var.max_px,
    var.max_attempts,
    var.model_requests_per_minute,
    var.pair_seconds,
    var.concurrency,
    var.cpu,
    var.min_instances,
    var.event_deadline_seconds,
    var.event_max_age_seconds,
    var.http_invokers,
    var.http_ingress,
    var.alert_emails,
    var.notification_channels,
    var.alert_failures_per_hour,
    var.alert_usd_per_hour,
    var.alert_usd_per_pair,
    var.alert_failed_share,
    var.alert_put_off_share,
    var.billing_account,
    var.monthly_budget,
  ]
}

# Second wrong values: every Google account in the world is no narrower than allUsers, and a variable that is
# compared with another one is only looked at when that one is right.
run "more_bad_values_are_refused" {
  command = plan

  variables {
    http_invokers          = ["allAuthenticatedUsers"]
    existing_output_bucket = "gs://shop-results"
    memory_gib             = 1.5
    fallback_models        = [] # the function would take it for unset, and use its own chain
  }

  expect_failures = [
    var.http_invokers,
    var.existing_output_bucket,
    var.memory_gib,
    var.fallback_models,
  ]
}

run "input_and_output_are_two_buckets" {
  command = plan

  variables {
    existing_input_bucket  = "shop"
    existing_output_bucket = "shop"
  }

  expect_failures = [var.existing_output_bucket]
}

run "memory_suits_the_cpu" {
  command = plan

  variables {
    cpu        = 2
    memory_gib = 16
  }

  expect_failures = [var.memory_gib]
}
