locals {
  # functions-framework runs one process of THREADS threads, and Cloud Run sends an instance as many requests at
  # once: with fewer threads requests would wait inside a paid instance, with more, threads would idle.
  #
  # The model's quota is a rate, the platform's limit a number of requests in flight. Little's law turns one
  # into the other: in flight = pairs a minute x seconds a pair / 60. The shortest time is the safe one, and
  # rounding goes down. Further attempts and a refused call (429) wait within the same slot.
  model_slots       = max(1, floor(var.model_requests_per_minute * var.pair_seconds / 60))
  http_slots        = length(var.http_invokers) == 0 ? 0 : max(1, floor(local.model_slots / 4)) # people wait; catalogues do not
  event_slots       = max(1, local.model_slots - local.http_slots)
  event_concurrency = min(var.concurrency, local.event_slots)
  event_instances   = max(var.min_instances, 1, floor(local.event_slots / local.event_concurrency))
  http_concurrency  = min(var.concurrency, max(1, local.http_slots))
  http_instances    = max(1, floor(local.http_slots / local.http_concurrency))

  # After the function's own deadline: a cold start before its clock runs, and the last write. 540 is the
  # platform's limit for events, which the deadline's validation leaves room for.
  timeout_seconds = var.event_deadline_seconds + 60

  environment = { for name, value in {
    OUTPUT_BUCKET             = local.output_bucket
    ALLOWED_BUCKETS           = join(",", var.allowed_buckets)
    ALLOWED_PREFIXES          = join(",", var.allowed_prefixes)
    SOURCE_FORMATS            = join(",", var.source_formats)
    GEMINI_MODEL              = var.model
    GEMINI_FALLBACK_MODEL     = join(",", var.fallback_models)
    ALLOWED_MODELS            = join(",", var.allowed_models)
    JUDGE_MODEL               = var.judge_model
    MAX_PX                    = tostring(var.max_px)
    MAX_ATTEMPTS              = tostring(var.max_attempts)
    MAX_IMAGE_SIZE            = var.max_image_size
    THINKING_LEVEL            = var.thinking_level
    IDENTITY                  = var.identity
    CLASSICAL_FALLBACK        = var.classical_fallback ? "true" : null
    MAX_USD_PER_DAY           = tostring(var.max_usd_per_day)
    MAX_USD_PER_CATALOGUE     = tostring(var.max_usd_per_catalogue)
    ON_BUDGET                 = var.on_budget
    BATCH_BUCKET              = one(google_storage_bucket.batch[*].name)
    SIGNING_KEY               = local.signs ? local.signing_key : null
    TIMESTAMP_URL             = local.signs ? var.timestamp_url : null
    RIGHTS_METADATA           = var.rights_metadata
    EVENT_DEADLINE_S          = tostring(var.event_deadline_seconds)
    EVENT_MAX_AGE_S           = tostring(var.event_max_age_seconds)
    GOOGLE_CLOUD_PROJECT      = var.project_id
    GOOGLE_GENAI_USE_VERTEXAI = tostring(var.auth == "vertex")
    GOOGLE_CLOUD_LOCATION     = var.auth == "vertex" ? var.model_location : null
    SOURCE_HASH               = local.short_hash
  } : name => value if value != null && value != "" }

  # A change of any of these deploys the event-driven function again.
  deployed_as = sha256(jsonencode([
    google_storage_bucket_object.source.name, local.environment, var.api_key_secret_version, var.signing_certificate_version,
    var.cpu, var.memory_gib, var.min_instances, local.event_instances, local.event_concurrency, local.timeout_seconds,
  ]))
}

# The product: an upload to the input bucket starts it.
resource "google_cloudfunctions2_function" "composite" {
  name        = var.name
  location    = var.region
  description = "Puts a product photograph into a scene, for each manifest uploaded to ${local.input_bucket}"

  build_config {
    runtime           = "python313"
    entry_point       = "composite"
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
    ingress_settings                 = "ALLOW_INTERNAL_ONLY"
    available_cpu                    = tostring(var.cpu)
    available_memory                 = "${var.memory_gib}Gi"
    timeout_seconds                  = local.timeout_seconds
    min_instance_count               = var.min_instances
    max_instance_count               = local.event_instances
    max_instance_request_concurrency = local.event_concurrency
    environment_variables            = merge(local.environment, { THREADS = tostring(local.event_concurrency) })

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

  # A direct trigger: the platform delivers the bucket's own CloudEvent, signed, and again until it is settled.
  # Filtering by suffix is not on offer; anything but a manifest or a catalogue is acknowledged unread.
  event_trigger {
    event_type            = "google.cloud.storage.object.v1.finalized"
    trigger_region        = local.trigger_region
    retry_policy          = "RETRY_POLICY_RETRY"
    service_account_email = google_service_account.this["trigger"].email

    event_filters {
      attribute = "bucket"
      value     = local.input_bucket
    }
  }

  lifecycle {
    precondition {
      condition     = !contains(var.allowed_buckets, local.output_bucket)
      error_message = "allowed_buckets must not hold the output bucket: results would become sources."
    }
  }

  # The first instance must be able to read its secret and its buckets; the first trigger must be allowed.
  depends_on = [
    time_sleep.rights_propagated,
    google_project_iam_member.runtime_calls_model,
    google_project_iam_member.runtime_runs_batches,
    google_kms_crypto_key_iam_member.runtime_signs,
    google_secret_manager_secret_iam_member.runtime,
    google_secret_manager_secret_iam_member.runtime_reads_certificate,
    google_storage_bucket_iam_member.runtime_creates_rows,
    google_storage_bucket_iam_member.runtime_reads_allowed,
    google_storage_bucket_iam_member.runtime_reads_input,
    google_storage_bucket_iam_member.runtime_replaces_rows,
    google_storage_bucket_iam_member.runtime_uses_batch,
    google_storage_bucket_iam_member.runtime_writes_output,
  ]
}
