locals {
  input_bucket  = var.existing_input_bucket == null ? google_storage_bucket.input[0].name : data.google_storage_bucket.input[0].name
  output_bucket = var.existing_output_bucket == null ? google_storage_bucket.output[0].name : data.google_storage_bucket.output[0].name

  # Cloud Storage raises an event where the bucket is, which for an existing bucket may be a multi-region.
  trigger_region = var.existing_input_bucket == null ? var.region : lower(data.google_storage_bucket.input[0].location)

  # Where the function keeps claims and stored model answers; the contract reuses them for a week. What has been
  # spent is counted under _budget/, which no rule may touch: a counter that expires is a budget that refills.
  work_prefix    = "_work/"
  work_days      = 7
  seconds_a_day  = 86400
  encrypted_with = var.kms_key == null ? [] : [var.kms_key]
}

# An existing input bucket is only read: its location decides where the trigger lives.
data "google_storage_bucket" "input" {
  count = var.existing_input_bucket == null ? 0 : 1

  name = var.existing_input_bucket
}

# An existing output bucket is only looked up, so that a name that is wrong fails in the plan.
data "google_storage_bucket" "output" {
  count = var.existing_output_bucket == null ? 0 : 1

  name = var.existing_output_bucket
}

# Where people and shops upload manifests, catalogues and images. Versioned: an event names one generation of
# its manifest and a sidecar names those of its images, and both must be readable after a re-upload.
resource "google_storage_bucket" "input" {
  count = var.existing_input_bucket == null ? 1 : 0

  #checkov:skip=CKV_GCP_62:Usage logs of a bucket are hourly files that nobody reads; who read or wrote what is in the project's Data Access audit logs, which are an organisation's decision.

  name                        = "${var.project_id}-${var.name}-input"
  location                    = var.region
  force_destroy               = var.destroy_data
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }

  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_days * local.seconds_a_day
  }

  lifecycle_rule {
    condition {
      days_since_noncurrent_time = var.input_versions_days
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

# Where results and sidecars go, and the function's own records: claims, answers, what was spent. Not the input bucket,
# because a sidecar is a .json itself. Not versioned: claims are rewritten all the time, a result can be made
# again from its manifest, and soft delete keeps what was replaced by mistake.
resource "google_storage_bucket" "output" {
  count = var.existing_output_bucket == null ? 1 : 0

  #checkov:skip=CKV_GCP_62:Usage logs of a bucket are hourly files that nobody reads; who read or wrote what is in the project's Data Access audit logs, which are an organisation's decision.
  #checkov:skip=CKV_GCP_78:Not versioned on purpose: claims under the work prefix are rewritten all the time, and soft delete keeps replaced results restorable.

  name                        = "${var.project_id}-${var.name}-output"
  location                    = var.region
  force_destroy               = var.destroy_data
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_days * local.seconds_a_day
  }

  lifecycle_rule {
    condition {
      age            = local.work_days
      matches_prefix = [local.work_prefix]
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

# Holds the archive that is deployed. Its own bucket, so that whoever may upload pictures cannot change code.
resource "google_storage_bucket" "source" {
  #checkov:skip=CKV_GCP_62:Usage logs of a bucket are hourly files that nobody reads; changes to code show in the audit log of the deployment.
  #checkov:skip=CKV_GCP_78:Every archive has its content's hash for a name and is never replaced.

  name                        = "${var.project_id}-${var.name}-source"
  location                    = var.region
  force_destroy               = true
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  soft_delete_policy {
    retention_duration_seconds = var.soft_delete_days * local.seconds_a_day
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

# Buckets encrypt with the key in the storage agent's name; without this right they cannot be made.
resource "google_kms_crypto_key_iam_member" "storage_agent" {
  count = var.kms_key == null ? 0 : 1

  crypto_key_id = var.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = data.google_storage_project_service_account.this.member

  depends_on = [google_project_service.chosen]
}
