locals {
  input_bucket  = var.existing_input_bucket == null ? google_storage_bucket.input[0].name : data.google_storage_bucket.input[0].name
  output_bucket = var.existing_output_bucket == null ? google_storage_bucket.output[0].name : data.google_storage_bucket.output[0].name

  # Cloud Storage raises an event where the bucket is, which for an existing bucket may be a multi-region.
  trigger_region = var.existing_input_bucket == null ? var.region : lower(data.google_storage_bucket.input[0].location)

  # Where the function keeps claims and stored model answers; the contract reuses them for a week. What has been
  # spent is counted under _budget/, which no rule may touch: a counter that expires is a budget that refills.
  # Answers over HTTP that were too large to be sent lie under _http/ for as long.
  work_prefix   = "_work/"
  http_prefix   = "_http/"
  budget_prefix = "_budget/"
  work_days     = 7
  seconds_a_day = 86400

  # What uploads are called: pictures, manifests, catalogues. Cloud Storage compares letter by letter.
  upload_suffixes   = [".png", ".jpg", ".jpeg", ".webp", ".avif", ".heic", ".tif", ".tiff", ".json", ".jsonl", ".csv"]
  expiring_suffixes = concat(local.upload_suffixes, [for suffix in local.upload_suffixes : upper(suffix)])
  encrypted_with    = var.kms_key == null ? [] : [var.kms_key]
}

# An existing input bucket is only read: its location decides where the trigger lives.
data "google_storage_bucket" "input" {
  count = var.existing_input_bucket == null ? 0 : 1

  name = var.existing_input_bucket

  lifecycle {
    postcondition {
      condition     = length(self.retention_policy) == 0 && !coalesce(self.default_event_based_hold, false)
      error_message = "existing_input_bucket has a retention policy or a default hold: a catalogue's rows and the switch (`pause`) are written over themselves, which it forbids. Remove it, or let this folder make a bucket."
    }
    postcondition {
      condition     = coalesce(self.uniform_bucket_level_access, false)
      error_message = "existing_input_bucket needs uniform bucket-level access: the function's right to write there is conditional."
    }
  }
}

# An existing output bucket is looked up, so that what would make the function fail, or spend twice, fails in the plan.
data "google_storage_bucket" "output" {
  count = var.existing_output_bucket == null ? 0 : 1

  name = var.existing_output_bucket

  lifecycle {
    postcondition {
      condition     = length(self.retention_policy) == 0 && !coalesce(self.default_event_based_hold, false)
      error_message = "existing_output_bucket has a retention policy or a default hold: claims, counters of spending and results are written over themselves, which it forbids. Remove it, or let this folder make a bucket."
    }
    postcondition {
      # Rules for what has been replaced already (noncurrent) may delete anything.
      condition = alltrue([for rule in self.lifecycle_rule :
        length(one(rule.condition).matches_prefix) > 0 && alltrue([for p in one(rule.condition).matches_prefix : !startswith(local.budget_prefix, p) && !startswith(p, local.budget_prefix)])
        if one(rule.action).type == "Delete" && one(rule.condition).with_state != "ARCHIVED" && one(rule.condition).days_since_noncurrent_time == 0 && one(rule.condition).num_newer_versions == 0
      ])
      error_message = "existing_output_bucket has a lifecycle rule that deletes objects under `_budget/` (a rule without a prefix does), where spending is counted: a counter that expires is a budget that refills. Give the rule prefixes that leave it out."
    }
  }
}

# Stored answers hold pictures; a bucket made here deletes them after a week.
check "work_expires" {
  assert {
    condition = alltrue([for bucket in data.google_storage_bucket.output : alltrue([for prefix in [local.work_prefix, local.http_prefix] :
      anytrue([for rule in bucket.lifecycle_rule : one(rule.action).type == "Delete" && contains(one(rule.condition).matches_prefix, prefix)])
    ])])
    error_message = "existing_output_bucket has no lifecycle rule that deletes `_work/` and `_http/`: claims and stored answers, which hold pictures, stay for ever. Give it one of 7 days."
  }
}

# Where people and shops upload manifests, catalogues and images. Versioned: an event names one generation of
# its manifest and a sidecar names those of its images, and both must be readable after a re-upload.
resource "google_storage_bucket" "input" {
  count = var.existing_input_bucket == null ? 1 : 0

  #checkov:skip=CKV_GCP_62:Usage logs of a bucket are hourly files that are not read; who read or wrote what is in the project's Data Access audit logs, which are an organisation's decision.

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

  # By suffix, because the switch (`_paused`) lies here too: a pause that expires would be none.
  dynamic "lifecycle_rule" {
    for_each = var.input_expiry_days[*]
    content {
      condition {
        age            = lifecycle_rule.value
        with_state     = "LIVE"
        matches_suffix = local.expiring_suffixes
      }
      action {
        type = "Delete"
      }
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

  #checkov:skip=CKV_GCP_62:Usage logs of a bucket are hourly files that are not read; who read or wrote what is in the project's Data Access audit logs, which are an organisation's decision.
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
      matches_prefix = [local.work_prefix, local.http_prefix]
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

# Holds the archive that is deployed. Its own bucket, so that an uploader of pictures cannot change code.
resource "google_storage_bucket" "source" {
  #checkov:skip=CKV_GCP_62:Usage logs of a bucket are hourly files that are not read; changes to code show in the audit log of the deployment.
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
