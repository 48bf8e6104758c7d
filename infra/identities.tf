locals {
  service_accounts = {
    runtime = "What the function is: reads pictures, calls the model, writes results"
    trigger = "Delivers the bucket's events to the function, and may do nothing else"
    build   = "Builds the function's image, and may do nothing else"
  }

  manifests_only = "resource.name.endsWith(\".json\")"
}

# One identity for each job. The default compute account, which all three would share otherwise, may edit the
# whole project.
resource "google_service_account" "this" {
  for_each = local.service_accounts

  account_id   = "${var.name}-${each.key}"
  display_name = "${var.name} ${each.key}"
  description  = each.value

  depends_on = [google_project_service.api]
}

# --- runtime ----------------------------------------------------------------------------------------------

# Manifests and the images beside them. Listing is part of it and needed: without it Cloud Storage answers 403
# where an image is only not there yet.
resource "google_storage_bucket_iam_member" "runtime_reads_input" {
  bucket = local.input_bucket
  role   = "roles/storage.objectViewer"
  member = google_service_account.this["runtime"].member
}

# A catalogue's rows are written back as manifests, and nothing else is ever written here: the condition keeps
# every picture and catalogue out of the function's reach.
resource "google_storage_bucket_iam_member" "runtime_creates_rows" {
  bucket = local.input_bucket
  role   = "roles/storage.objectCreator"
  member = google_service_account.this["runtime"].member

  condition {
    title       = "manifests-only"
    description = "Only objects whose name ends in .json"
    expression  = local.manifests_only
  }
}

# A deleted custom role keeps its id: for a week it can only be undeleted, for 30 days more the id is refused. So each
# deployment has ids of its own, and can be torn down and made again on the same day.
resource "random_id" "roles" {
  byte_length = 4
}

# A re-uploaded catalogue replaces the rows that it changes. Cloud Storage asks for the right to delete what is
# replaced; no predefined role has that alone, and the versions of the bucket keep what was there.
resource "google_project_iam_custom_role" "row_replacer" {
  role_id     = "${replace(var.name, "-", "_")}_row_replacer_${random_id.roles.hex}"
  title       = "${var.name}: replaces rows"
  description = "Replace an object that one may create, and nothing else"
  permissions = ["storage.objects.delete"]

  depends_on = [google_project_service.api]
}

# Bound on the bucket, and to manifests.
resource "google_storage_bucket_iam_member" "runtime_replaces_rows" {
  bucket = local.input_bucket
  role   = google_project_iam_custom_role.row_replacer.id
  member = google_service_account.this["runtime"].member

  condition {
    title       = "manifests-only"
    description = "Only objects whose name ends in .json"
    expression  = local.manifests_only
  }
}

# Results and sidecars are replaced when a manifest comes again, a claim when its process has died, and a counter of
# spending (_budget/) whenever an instance reserves or gives back money.
# objectUser is create, read, replace and delete; it cannot change rights or the bucket.
resource "google_storage_bucket_iam_member" "runtime_writes_output" {
  bucket = local.output_bucket
  role   = "roles/storage.objectUser"
  member = google_service_account.this["runtime"].member
}

# Shared pictures in buckets that a manifest may name; the same list is what the function itself allows.
resource "google_storage_bucket_iam_member" "runtime_reads_allowed" {
  for_each = toset(var.allowed_buckets)

  bucket = each.value
  role   = "roles/storage.objectViewer"
  member = google_service_account.this["runtime"].member
}

# roles/aiplatform.user can delete datasets and deploy endpoints. Calling a published model takes one permission.
resource "google_project_iam_custom_role" "model_caller" {
  count = var.auth == "vertex" ? 1 : 0

  role_id     = "${replace(var.name, "-", "_")}_model_caller_${random_id.roles.hex}"
  title       = "${var.name}: calls models"
  description = "Call a model of Vertex AI, and nothing else of it"
  permissions = ["aiplatform.endpoints.predict"]

  depends_on = [google_project_service.api, google_project_service.chosen]
}

# Google's models have no resource of their own in a project, so the project is the narrowest place.
resource "google_project_iam_member" "runtime_calls_model" {
  count = var.auth == "vertex" ? 1 : 0

  project = var.project_id
  role    = google_project_iam_custom_role.model_caller[0].id
  member  = google_service_account.this["runtime"].member
}

# --- build ------------------------------------------------------------------------------------------------

# Images are written to this deployment's repository and no other. Old ones go by themselves: what runs is
# kept by the number of versions, and a build can be repeated from its archive.
resource "google_artifact_registry_repository" "images" {
  #checkov:skip=CKV_GCP_84:The image holds open code and libraries, no customer's data; Google's keys encrypt it.

  repository_id = "${var.name}-images"
  location      = var.region
  format        = "DOCKER"
  description   = "Images that Cloud Build makes of the function"

  # Each image is looked through when it is pushed, and again for a month as new vulnerabilities become known.
  vulnerability_scanning_config {
    enablement_config = "INHERITED"
  }

  cleanup_policies {
    id     = "keep-ten"
    action = "KEEP"
    most_recent_versions {
      keep_count = 10
    }
  }

  cleanup_policies {
    id     = "delete-after-30-days"
    action = "DELETE"
    condition {
      older_than = "2592000s"
    }
  }

  depends_on = [google_project_service.api]
}

# Pushes the image that was built.
resource "google_artifact_registry_repository_iam_member" "build_writer" {
  repository = google_artifact_registry_repository.images.name
  location   = google_artifact_registry_repository.images.location
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.this["build"].member
}

# Reads the archive.
resource "google_storage_bucket_iam_member" "build_source_reader" {
  bucket = google_storage_bucket.source.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.this["build"].member
}

# Cloud Functions copies the archive to a staging bucket of its own before it builds. That bucket is made with
# the first function of a region, so the right is bound on the project and held to that bucket by a condition.
resource "google_project_iam_member" "build_staging_reader" {
  project = var.project_id
  role    = "roles/storage.objectViewer"
  member  = google_service_account.this["build"].member

  condition {
    title       = "staging-bucket-of-cloud-functions"
    description = "Only the bucket that Cloud Functions builds from"
    expression  = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-${data.google_project.this.number}-${var.region}\")"
  }
}

# A build that cannot log does not start. Logs belong to the project; there is no narrower place.
resource "google_project_iam_member" "build_log_writer" {
  project = var.project_id
  role    = "roles/logging.logWriter"
  member  = google_service_account.this["build"].member
}
