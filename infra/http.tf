# The synchronous function, for a caller who waits for one picture. Off until a caller is named.
resource "google_cloudfunctions2_function" "composite_http" {
  count = length(var.http_invokers) == 0 ? 0 : 1

  name        = "${var.name}-http"
  location    = var.region
  description = "Puts a product photograph into a scene and answers with the picture"

  build_config {
    runtime           = "python313"
    entry_point       = "composite_http"
    service_account   = google_service_account.this["build"].id
    docker_repository = google_artifact_registry_repository.images.id

    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.source.name
      }
    }

    # Security patches of the base image reach a function without a new deployment.
    automatic_update_policy {}
  }

  service_config {
    service_account_email            = google_service_account.this["runtime"].email
    ingress_settings                 = var.http_ingress
    available_cpu                    = tostring(var.cpu)
    available_memory                 = "${var.memory_gib}Gi"
    timeout_seconds                  = local.timeout_seconds
    min_instance_count               = 0
    max_instance_count               = local.http_instances
    max_instance_request_concurrency = local.http_concurrency
    environment_variables            = merge(local.environment, { THREADS = tostring(local.http_concurrency) })

    dynamic "secret_environment_variables" {
      for_each = var.auth == "api_key" ? [local.secret_id] : []
      content {
        key        = "GEMINI_API_KEY"
        project_id = split("/", secret_environment_variables.value)[1]
        secret     = split("/", secret_environment_variables.value)[3]
        version    = tostring(var.api_key_secret_version)
      }
    }

    dynamic "secret_environment_variables" {
      for_each = local.signs ? [google_secret_manager_secret.signing_certificate[0].id] : []
      content {
        key        = "SIGNING_CERTIFICATE"
        project_id = split("/", secret_environment_variables.value)[1]
        secret     = split("/", secret_environment_variables.value)[3]
        version    = tostring(var.signing_certificate_version)
      }
    }
  }

  depends_on = [
    time_sleep.rights_propagated,
    google_project_iam_member.runtime_calls_model,
    google_kms_crypto_key_iam_member.runtime_signs,
    google_secret_manager_secret_iam_member.runtime,
    google_secret_manager_secret_iam_member.runtime_reads_certificate,
    google_storage_bucket_iam_member.runtime_reads_allowed,
    google_storage_bucket_iam_member.runtime_writes_output,
  ]
}

# Each caller by name, on this service only; none without a token. Paused, none at all: a caller gets
# 403 and asks again later.
resource "google_cloud_run_v2_service_iam_member" "http_invoker" {
  for_each = toset(var.paused ? [] : var.http_invokers)

  name     = google_cloudfunctions2_function.composite_http[0].name
  location = var.region
  role     = "roles/run.invoker"
  member   = each.value
}
