locals {
  batch_jobs = var.batch ? 1 : 0

  # Google's own agent that reads a job's requests and their pictures, and writes its results.
  vertex_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-aiplatform.iam.gserviceaccount.com"
  vertex_batch = var.batch && var.auth == "vertex" ? 1 : 0

  # A picture may be asked for again by later jobs, until the longest deadline of a catalogue (5 days) has passed.
  batch_file_days = 14
}

# Requests and results of batch jobs. A bucket of its own: the input bucket's .jsonl are catalogues, and the events of
# the output bucket are refused.
resource "google_storage_bucket" "batch" {
  count = local.batch_jobs

  #checkov:skip=CKV_GCP_62:Usage logs of a bucket are hourly files that are not read; who read or wrote what is in the project's Data Access audit logs, which are an organisation's decision.
  #checkov:skip=CKV_GCP_78:Not versioned on purpose: what lies here is made again from manifests, and goes after two weeks.

  name                        = "${var.project_id}-${var.name}-batch"
  location                    = var.region
  force_destroy               = true
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_days * local.seconds_a_day
  }

  lifecycle_rule {
    condition {
      age = local.batch_file_days
    }
    action {
      type = "Delete"
    }
  }

  lifecycle_rule {
    condition {
      age = 1
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }

  dynamic "encryption" {
    for_each = local.encrypted_with
    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_project_service.api, google_kms_crypto_key_iam_member.storage_agent]
}

# The function writes requests and pictures, and reads results.
resource "google_storage_bucket_iam_member" "runtime_uses_batch" {
  count = local.batch_jobs

  bucket = google_storage_bucket.batch[0].name
  role   = "roles/storage.objectUser"
  member = google_service_account.this["runtime"].member
}

# Vertex AI's agent comes without any use of it; a first job that has to make it is refused.
resource "terraform_data" "vertex_agent" {
  count = var.use_gcloud && var.manage_service_agents ? local.vertex_batch : 0

  triggers_replace = [data.google_project.this.number]

  provisioner "local-exec" {
    command = "gcloud beta services identity create --quiet --service=aiplatform.googleapis.com --project=${var.project_id}"
  }

  depends_on = [google_project_service.chosen]
}

# It reads requests and writes results in this bucket, and in no other of this deployment.
resource "google_storage_bucket_iam_member" "vertex_uses_batch" {
  count = local.vertex_batch

  bucket = google_storage_bucket.batch[0].name
  role   = "roles/storage.objectUser"
  member = local.vertex_agent

  depends_on = [terraform_data.vertex_agent]
}

# Jobs are made, looked at and cancelled; predefined roles that may do so may train and deploy models as well.
resource "google_project_iam_custom_role" "batch_runner" {
  count = local.vertex_batch

  role_id     = "${replace(var.name, "-", "_")}_batch_runner_${random_id.roles.hex}"
  title       = "${var.name}: runs batch jobs"
  description = "Create, list, read and cancel batch prediction jobs, and nothing else of Vertex AI"
  permissions = [
    "aiplatform.batchPredictionJobs.cancel",
    "aiplatform.batchPredictionJobs.create",
    "aiplatform.batchPredictionJobs.get",
    "aiplatform.batchPredictionJobs.list",
  ]

  depends_on = [google_project_service.api, google_project_service.chosen]
}

# Jobs belong to the project; there is no narrower place.
resource "google_project_iam_member" "runtime_runs_batches" {
  count = local.vertex_batch

  project = var.project_id
  role    = google_project_iam_custom_role.batch_runner[0].id
  member  = google_service_account.this["runtime"].member
}

# Results start the function as uploads do. A trigger beside the function's own, which watches one bucket only; an
# event that is lost, or is dropped after 24 hours, is made good by the sweep.
resource "google_eventarc_trigger" "batch" {
  count = local.batch_jobs

  name            = "${var.name}-batch"
  location        = var.region
  service_account = google_service_account.this["trigger"].email

  matching_criteria {
    attribute = "type"
    value     = "google.cloud.storage.object.v1.finalized"
  }
  matching_criteria {
    attribute = "bucket"
    value     = google_storage_bucket.batch[0].name
  }

  destination {
    cloud_run_service {
      service = google_cloudfunctions2_function.composite.name
      region  = var.region
    }
  }

  depends_on = [time_sleep.rights_propagated]
}

# What no event tells: jobs that end without results, that are stuck, or whose time is up; and waiting pictures become
# jobs. Paused, it is refused as all events are. One sweep that is missed is made good by the next.
resource "google_cloud_scheduler_job" "sweep" {
  count = local.batch_jobs

  name             = "${var.name}-batch-sweep"
  region           = var.region
  description      = "Has the function look after its batch jobs"
  schedule         = "*/5 * * * *"
  time_zone        = "Etc/UTC"
  attempt_deadline = "${local.timeout_seconds}s"

  retry_config {
    retry_count = 0
  }

  http_target {
    http_method = "POST"
    uri         = "${google_cloudfunctions2_function.composite.service_config[0].uri}/batches/sweep"

    oidc_token {
      service_account_email = google_service_account.this["trigger"].email
      audience              = google_cloudfunctions2_function.composite.service_config[0].uri
    }
  }

  depends_on = [google_project_service.chosen]
}
