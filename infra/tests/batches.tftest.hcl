# Batches: off until they are asked for, and then with rights on their own bucket only.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
  override_resource {
    target = google_service_account.this["trigger"]
    values = { email = "trigger@demo-project", member = "serviceAccount:trigger@demo-project", id = "projects/demo-project/serviceAccounts/trigger" }
  }
  override_resource {
    target = google_service_account.this["runtime"]
    values = { email = "runtime@demo-project", member = "serviceAccount:runtime@demo-project", id = "projects/demo-project/serviceAccounts/runtime" }
  }
  override_resource {
    target = google_cloudfunctions2_function.composite
    values = { service_config = { uri = "https://composite-abc.a.run.app" } }
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

run "off" {
  command = apply

  assert {
    condition     = length(google_storage_bucket.batch) + length(google_eventarc_trigger.batch) + length(google_cloud_scheduler_job.sweep) + length(google_project_iam_custom_role.batch_runner) == 0
    error_message = "Nothing of batches may be made before they are asked for."
  }

  assert {
    condition     = !contains(keys(google_cloudfunctions2_function.composite.service_config[0].environment_variables), "BATCH_BUCKET")
    error_message = "Without a bucket for batches the function must refuse them."
  }
}

run "on" {
  command = apply

  variables {
    batch = true
  }

  assert {
    condition     = google_cloudfunctions2_function.composite.service_config[0].environment_variables["BATCH_BUCKET"] == "demo-project-composite-batch"
    error_message = "The function must know where batches are."
  }

  assert {
    condition     = google_storage_bucket.batch[0].public_access_prevention == "enforced" && google_storage_bucket.batch[0].uniform_bucket_level_access
    error_message = "Requests hold customers' pictures."
  }

  assert {
    condition     = one([for r in google_storage_bucket.batch[0].lifecycle_rule : one(r.condition).age if one(r.action).type == "Delete"]) == 14
    error_message = "Pictures in requests must outlive the longest deadline, and go then."
  }

  assert {
    condition     = { for c in google_eventarc_trigger.batch[0].matching_criteria : c.attribute => c.value } == { type = "google.cloud.storage.object.v1.finalized", bucket = "demo-project-composite-batch" }
    error_message = "Results must start the function, and nothing of another bucket."
  }

  assert {
    condition     = google_eventarc_trigger.batch[0].service_account == "trigger@demo-project" && one(one(google_eventarc_trigger.batch[0].destination).cloud_run_service).service == "composite"
    error_message = "The trigger must call this function, as the one who may."
  }

  assert {
    condition     = one(google_cloud_scheduler_job.sweep[0].http_target).uri == "https://composite-abc.a.run.app/batches/sweep" && one(one(google_cloud_scheduler_job.sweep[0].http_target).oidc_token).service_account_email == "trigger@demo-project"
    error_message = "The sweep must be called, with a token of the account that may call."
  }

  assert {
    condition     = google_storage_bucket_iam_member.vertex_uses_batch[0].member == "serviceAccount:service-123456789012@gcp-sa-aiplatform.iam.gserviceaccount.com" && google_storage_bucket_iam_member.vertex_uses_batch[0].bucket == "demo-project-composite-batch"
    error_message = "Vertex AI's agent must reach this bucket."
  }

  assert {
    condition     = google_project_iam_custom_role.batch_runner[0].permissions == toset([for what in ["cancel", "create", "get", "list"] : "aiplatform.batchPredictionJobs.${what}"])
    error_message = "Jobs must be made, found again and cancelled, and nothing else."
  }

  assert {
    condition     = contains(keys(google_project_service.chosen), "cloudscheduler.googleapis.com")
    error_message = "A fresh project has no scheduler."
  }
}

run "with_a_key" {
  command = apply

  variables {
    batch          = true
    auth           = "api_key"
    api_key_secret = "projects/demo-project/secrets/gemini-key"
  }

  assert {
    condition     = length(google_storage_bucket.batch) == 1 && length(google_project_iam_custom_role.batch_runner) == 0 && length(google_storage_bucket_iam_member.vertex_uses_batch) == 0
    error_message = "With a key no right on Vertex AI is of use."
  }
}
