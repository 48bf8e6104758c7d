# What the buckets promise to those who upload to them.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
  mock_data "google_storage_project_service_account" {
    defaults = {
      email_address = "service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
      member        = "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
    }
  }
  mock_data "google_storage_bucket" {
    defaults = { location = "EU" }
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

run "buckets_made_here" {
  command = apply

  assert {
    condition = alltrue([
      for b in concat(google_storage_bucket.input, google_storage_bucket.output, [google_storage_bucket.source]) :
      b.public_access_prevention == "enforced"
    ])
    error_message = "Somebody could make a customer's pictures, or the code, public: public_access_prevention must be \"enforced\" on every bucket."
  }

  assert {
    condition = alltrue([
      for b in concat(google_storage_bucket.input, google_storage_bucket.output, [google_storage_bucket.source]) :
      b.uniform_bucket_level_access
    ])
    error_message = "Object ACLs would grant access that no binding in this folder shows: uniform_bucket_level_access must be on for every bucket."
  }

  assert {
    condition = alltrue([
      for b in concat(google_storage_bucket.input, google_storage_bucket.output, [google_storage_bucket.source]) :
      one(b.soft_delete_policy).retention_duration_seconds == 604800
    ])
    error_message = "What is deleted or replaced by mistake could not be restored for a week: soft delete must be 7 days."
  }

  assert {
    condition = alltrue([
      for b in concat(google_storage_bucket.input, google_storage_bucket.output) : !b.force_destroy
    ])
    error_message = "A terraform destroy would delete customers' pictures without asking: force_destroy must be off unless destroy_data is set."
  }

  assert {
    condition     = google_storage_bucket.input[0].location == "us-central1" && google_storage_bucket.output[0].location == "us-central1"
    error_message = "Pictures would travel between regions, at a price and slowly: buckets must be in the function's region."
  }

  assert {
    condition     = one(google_storage_bucket.input[0].versioning).enabled
    error_message = "An event names one generation of a manifest; without versioning a re-upload makes it, and the images a sidecar names, unreadable."
  }

  assert {
    condition     = length([for r in google_storage_bucket.input[0].lifecycle_rule : r if one(r.action).type == "Delete" && one(r.condition).days_since_noncurrent_time == 30]) == 1
    error_message = "Replaced versions in the input bucket would be kept, and paid for, for ever."
  }

  assert {
    condition     = length([for r in google_storage_bucket.input[0].lifecycle_rule : r if one(r.action).type == "Delete" && one(r.condition).days_since_noncurrent_time == null]) == 0
    error_message = "A rule would delete uploads that are still current."
  }

  assert {
    condition     = length([for r in google_storage_bucket.output[0].lifecycle_rule : r if one(r.action).type == "Delete" && tolist(one(r.condition).matches_prefix) == tolist(["_work/", "_http/"]) && one(r.condition).age == 7]) == 1
    error_message = "Claims and stored answers under _work/ and _http/ would pile up, or go before the week in which they are reused."
  }

  assert {
    condition = alltrue([for r in google_storage_bucket.output[0].lifecycle_rule :
      length(one(r.condition).matches_prefix) > 0 && alltrue([for prefix in one(r.condition).matches_prefix : !startswith("_budget/", prefix) && !startswith(prefix, "_budget/")])
      if one(r.action).type != "AbortIncompleteMultipartUpload"
    ])
    error_message = "What has been spent is counted under _budget/: a rule that deletes it there refills a catalogue's budget."
  }

  assert {
    condition     = length([for r in google_storage_bucket.output[0].lifecycle_rule : r if one(r.action).type == "Delete"]) == 1
    error_message = "A second delete rule on the output bucket would delete results or sidecars, and a deleted sidecar is a pair paid for twice."
  }

  assert {
    condition = alltrue([
      for b in concat(google_storage_bucket.input, google_storage_bucket.output, [google_storage_bucket.source]) :
      length([for r in b.lifecycle_rule : r if one(r.action).type == "AbortIncompleteMultipartUpload"]) == 1
    ])
    error_message = "Uploads that were broken off would be paid for without ever being seen."
  }

  assert {
    condition     = length(google_kms_crypto_key_iam_member.storage_agent) == 0 && length(google_storage_bucket.input[0].encryption) == 0
    error_message = "Without a key nothing must refer to one."
  }

  assert {
    condition     = length(google_storage_notification.results) + length(google_pubsub_topic.results) + length(google_pubsub_subscription.results) == 0
    error_message = "A topic that nobody asked for must not be made."
  }
}

run "customer_managed_key" {
  command = plan

  variables {
    kms_key = "projects/demo-project/locations/us-central1/keyRings/ring/cryptoKeys/key"
  }

  assert {
    condition = alltrue([
      for b in concat(google_storage_bucket.input, google_storage_bucket.output, [google_storage_bucket.source]) :
      one(b.encryption).default_kms_key_name == var.kms_key
    ])
    error_message = "With kms_key given, every bucket must be encrypted with it."
  }

  assert {
    condition     = google_kms_crypto_key_iam_member.storage_agent[0].role == "roles/cloudkms.cryptoKeyEncrypterDecrypter"
    error_message = "Buckets cannot be made with a key that the storage agent may not use."
  }
}

run "tearing_a_trial_down" {
  command = plan

  variables {
    destroy_data = true
  }

  assert {
    condition     = google_storage_bucket.input[0].force_destroy && google_storage_bucket.output[0].force_destroy
    error_message = "destroy_data must let terraform destroy take the buckets with what is in them."
  }
}

run "uploads_that_expire" {
  command = plan

  variables {
    input_expiry_days = 90
  }

  assert {
    condition = [for r in google_storage_bucket.input[0].lifecycle_rule : [one(r.condition).age, one(r.condition).with_state]
    if length(one(r.condition).matches_suffix == null ? [] : one(r.condition).matches_suffix) > 0] == [[90, "LIVE"]]
    error_message = "Uploads must go after the days that were asked for."
  }

  assert {
    condition     = alltrue([for r in google_storage_bucket.input[0].lifecycle_rule : alltrue([for suffix in one(r.condition).matches_suffix == null ? [] : one(r.condition).matches_suffix : !endswith("_paused", suffix)])])
    error_message = "The switch lies in the input bucket: were it deleted, a paused function would begin to spend."
  }
}

run "told_of_results" {
  command = plan

  variables {
    notify_results = true
  }

  assert {
    condition     = google_storage_notification.results[0].event_types == toset(["OBJECT_FINALIZE"])
    error_message = "What is stored must be told, and nothing else: every lease is deleted, too."
  }

  assert {
    condition     = google_storage_notification.results[0].payload_format == "JSON_API_V1"
    error_message = "Status and manifest stand in the object's metadata, which only this format carries."
  }

  assert {
    condition     = alltrue([for prefix in ["_work/", "_budget/", "_http/"] : strcontains(google_pubsub_subscription.results[0].filter, "NOT hasPrefix(attributes.objectId, \"${prefix}\")")])
    error_message = "Working records must not reach a subscriber: there are more of them than of results."
  }

  assert {
    condition     = google_pubsub_topic_iam_member.results_publisher[0].role == "roles/pubsub.publisher"
    error_message = "Storage's own agent must be let publish, or the notification is refused."
  }
}

run "existing_buckets" {
  command = plan

  variables {
    existing_input_bucket  = "shop-uploads"
    existing_output_bucket = "shop-results"
  }

  override_data {
    target = data.google_storage_bucket.input[0]
    values = { name = "shop-uploads", location = "EU", uniform_bucket_level_access = true, retention_policy = [], default_event_based_hold = false }
  }
  override_data {
    target = data.google_storage_bucket.output[0]
    values = {
      name           = "shop-results", location = "EU", retention_policy = [], default_event_based_hold = false
      lifecycle_rule = [{ action = [{ type = "Delete", storage_class = "" }], condition = [{ age = 7, created_before = "", custom_time_before = "", days_since_custom_time = 0, days_since_noncurrent_time = 0, matches_prefix = ["_work/", "_http/"], matches_storage_class = [], matches_suffix = [], noncurrent_time_before = "", num_newer_versions = 0, send_age_if_zero = false, send_days_since_custom_time_if_zero = false, send_days_since_noncurrent_time_if_zero = false, send_num_newer_versions_if_zero = false, size_above_bytes = 0, size_below_bytes = 0, with_state = "ANY" }] }]
    }
  }

  assert {
    condition     = length(google_storage_bucket.input) == 0 && length(google_storage_bucket.output) == 0
    error_message = "Existing buckets must be left alone, not made again."
  }

  assert {
    condition     = one(google_cloudfunctions2_function.composite.event_trigger).trigger_region == "eu"
    error_message = "The trigger must be where the bucket is, or it is refused: a bucket in EU raises its events in eu."
  }

  assert {
    condition     = one(one(google_cloudfunctions2_function.composite.event_trigger).event_filters).value == "shop-uploads"
    error_message = "The trigger must watch the given bucket."
  }

  assert {
    condition     = google_storage_bucket_iam_member.runtime_reads_input.bucket == "shop-uploads" && google_storage_bucket_iam_member.runtime_writes_output.bucket == "shop-results"
    error_message = "The function needs its rights on the given buckets, and on no others."
  }
}

# Claims, counters and results are written over themselves.
run "a_bucket_that_lets_nothing_be_replaced" {
  command = plan

  variables {
    existing_output_bucket = "shop"
  }

  override_data {
    target = data.google_storage_bucket.output[0]
    values = {
      name           = "shop", location = "EU", uniform_bucket_level_access = true, default_event_based_hold = false, retention_policy = [{ is_locked = false, retention_period = 86400 }]
      lifecycle_rule = [{ action = [{ type = "Delete", storage_class = "" }], condition = [{ age = 7, created_before = "", custom_time_before = "", days_since_custom_time = 0, days_since_noncurrent_time = 0, matches_prefix = ["_work/", "_http/"], matches_storage_class = [], matches_suffix = [], noncurrent_time_before = "", num_newer_versions = 0, send_age_if_zero = false, send_days_since_custom_time_if_zero = false, send_days_since_noncurrent_time_if_zero = false, send_num_newer_versions_if_zero = false, size_above_bytes = 0, size_below_bytes = 0, with_state = "ANY" }] }]
    }
  }

  expect_failures = [data.google_storage_bucket.output]
}

# A year's expiry of everything deletes the counters of spending too.
run "a_rule_that_refills_budgets" {
  command = plan

  variables {
    existing_output_bucket = "shop"
  }

  override_data {
    target = data.google_storage_bucket.output[0]
    values = {
      name           = "shop", location = "EU", uniform_bucket_level_access = true, default_event_based_hold = false, retention_policy = []
      lifecycle_rule = [{ action = [{ type = "Delete", storage_class = "" }], condition = [{ age = 365, created_before = "", custom_time_before = "", days_since_custom_time = 0, days_since_noncurrent_time = 0, matches_prefix = [], matches_storage_class = [], matches_suffix = [], noncurrent_time_before = "", num_newer_versions = 0, send_age_if_zero = false, send_days_since_custom_time_if_zero = false, send_days_since_noncurrent_time_if_zero = false, send_num_newer_versions_if_zero = false, size_above_bytes = 0, size_below_bytes = 0, with_state = "ANY" }] }, { action = [{ type = "Delete", storage_class = "" }], condition = [{ age = 7, created_before = "", custom_time_before = "", days_since_custom_time = 0, days_since_noncurrent_time = 0, matches_prefix = ["_work/", "_http/"], matches_storage_class = [], matches_suffix = [], noncurrent_time_before = "", num_newer_versions = 0, send_age_if_zero = false, send_days_since_custom_time_if_zero = false, send_days_since_noncurrent_time_if_zero = false, send_num_newer_versions_if_zero = false, size_above_bytes = 0, size_below_bytes = 0, with_state = "ANY" }] }]
    }
  }

  expect_failures = [data.google_storage_bucket.output]
}

# Nothing deletes the answers stored over HTTP, which hold pictures.
run "answers_that_stay_for_ever" {
  command = plan

  variables {
    existing_output_bucket = "shop"
  }

  override_data {
    target = data.google_storage_bucket.output[0]
    values = {
      name           = "shop", location = "EU", uniform_bucket_level_access = true, default_event_based_hold = false, retention_policy = []
      lifecycle_rule = [{ action = [{ type = "Delete", storage_class = "" }], condition = [{ age = 7, created_before = "", custom_time_before = "", days_since_custom_time = 0, days_since_noncurrent_time = 0, matches_prefix = ["_work/"], matches_storage_class = [], matches_suffix = [], noncurrent_time_before = "", num_newer_versions = 0, send_age_if_zero = false, send_days_since_custom_time_if_zero = false, send_days_since_noncurrent_time_if_zero = false, send_num_newer_versions_if_zero = false, size_above_bytes = 0, size_below_bytes = 0, with_state = "ANY" }] }]
    }
  }

  expect_failures = [check.work_expires]
}

# The function's right to write rows is conditional, which needs uniform access.
run "an_input_bucket_with_object_rights" {
  command = plan

  variables {
    existing_input_bucket = "shop"
  }

  override_data {
    target = data.google_storage_bucket.input[0]
    values = {
      name           = "shop", location = "EU", uniform_bucket_level_access = false, default_event_based_hold = false, retention_policy = []
      lifecycle_rule = []
    }
  }

  expect_failures = [data.google_storage_bucket.input]
}
