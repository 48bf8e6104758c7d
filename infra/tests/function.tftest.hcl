# How the function is deployed, and what it is told.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
  mock_resource "google_secret_manager_secret" {
    defaults = { id = "projects/demo-project/secrets/composite-gemini-api-key" }
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

run "defaults" {
  command = apply

  assert {
    condition     = one(google_cloudfunctions2_function.composite.build_config).runtime == "python313" && one(google_cloudfunctions2_function.composite.build_config).entry_point == "composite"
    error_message = "The deployed entry point must be main.py's composite on Python 3.13."
  }

  assert {
    condition     = length(one(google_cloudfunctions2_function.composite.build_config).automatic_update_policy) == 1
    error_message = "A function that nobody redeploys would keep an unpatched base image."
  }

  assert {
    condition     = one(google_cloudfunctions2_function.composite.service_config).ingress_settings == "ALLOW_INTERNAL_ONLY"
    error_message = "The function would be reachable from the internet. Nobody but the trigger has to reach it."
  }

  assert {
    condition     = one(google_cloudfunctions2_function.composite.event_trigger).event_type == "google.cloud.storage.object.v1.finalized"
    error_message = "The function starts on finished uploads; another type would miss them or start it on deletions."
  }

  assert {
    condition     = one(google_cloudfunctions2_function.composite.event_trigger).retry_policy == "RETRY_POLICY_RETRY"
    error_message = "Without retry, one 503 of the model or one killed instance loses a pair for good: every 5xx the function answers counts on coming again."
  }

  assert {
    condition     = one(one(google_cloudfunctions2_function.composite.event_trigger).event_filters).attribute == "bucket" && one(one(google_cloudfunctions2_function.composite.event_trigger).event_filters).value == google_storage_bucket.input[0].name
    error_message = "The trigger must watch the input bucket and only that: on the output bucket each sidecar would start the function again."
  }

  assert {
    condition     = one(google_cloudfunctions2_function.composite.service_config).environment_variables["THREADS"] == tostring(one(google_cloudfunctions2_function.composite.service_config).max_instance_request_concurrency)
    error_message = "Cloud Run would send an instance more requests than it has threads (they wait, at full price) or fewer."
  }

  assert {
    condition     = one(google_cloudfunctions2_function.composite.service_config).timeout_seconds > tonumber(one(google_cloudfunctions2_function.composite.service_config).environment_variables["EVENT_DEADLINE_S"])
    error_message = "The platform would cut the function off before its own deadline, and the record of the failure would be lost."
  }

  assert {
    condition     = one(google_cloudfunctions2_function.composite.service_config).max_instance_count * one(google_cloudfunctions2_function.composite.service_config).max_instance_request_concurrency * 60 / var.pair_seconds <= var.model_requests_per_minute
    error_message = "All instances at work would call the model more often than its quota allows."
  }

  assert {
    condition     = one(google_cloudfunctions2_function.composite.service_config).min_instance_count == 0
    error_message = "An idle deployment must cost nothing unless somebody asks for warm instances."
  }

  assert {
    condition = one(google_cloudfunctions2_function.composite.service_config).environment_variables == tomap({
      OUTPUT_BUCKET             = "demo-project-composite-output"
      GEMINI_MODEL              = "gemini-2.5-flash-image"
      GEMINI_FALLBACK_MODEL     = "gemini-nano-banana-2.1,gemini-3.1-flash-lite-image"
      THINKING_LEVEL            = "minimal"
      IDENTITY                  = "auto"
      MAX_USD_PER_DAY           = "25"
      ON_BUDGET                 = "wait"
      MAX_PX                    = "768"
      MAX_ATTEMPTS              = "3"
      RIGHTS_METADATA           = "keep"
      EVENT_DEADLINE_S          = "300"
      EVENT_MAX_AGE_S           = "3600"
      THREADS                   = "4"
      GOOGLE_CLOUD_PROJECT      = "demo-project"
      GOOGLE_CLOUD_LOCATION     = "global"
      GOOGLE_GENAI_USE_VERTEXAI = "true"
      SOURCE_HASH               = substr(local.source_hash, 0, 12)
    })
    error_message = "The environment must be the contract's, with no variable that the function does not read and no empty one."
  }

  assert {
    condition     = length(google_secret_manager_secret.api_key) == 0 && length(google_secret_manager_secret_iam_member.runtime) == 0 && length(one(google_cloudfunctions2_function.composite.service_config).secret_environment_variables) == 0
    error_message = "Vertex mode is keyless: no secret, and no right to read one."
  }

  assert {
    condition     = length(google_cloudfunctions2_function.composite_http) == 0 && length(google_cloud_run_v2_service_iam_member.http_invoker) == 0
    error_message = "The HTTP function must not exist before somebody is named who may call it."
  }
}

run "chain_and_caps" {
  command = plan

  variables {
    fallback_models       = ["gemini-3.1-flash-lite-image", "gemini-3-pro-image"]
    allowed_models        = ["gemini-2.5-flash-image", "gemini-3-pro-image"]
    allowed_buckets       = ["pictures"]
    allowed_prefixes      = ["team-a/", "=brand/", "team-a/=gs://pictures/a/"]
    max_image_size        = "2K"
    thinking_level        = "medium"
    identity              = "exact"
    classical_fallback    = true
    max_usd_per_day       = 12.5
    max_usd_per_catalogue = 0.75
    on_budget             = "fail"
    http_invokers         = ["serviceAccount:shop@demo-project.iam.gserviceaccount.com"]
  }

  assert {
    condition = alltrue([for f in [google_cloudfunctions2_function.composite, google_cloudfunctions2_function.composite_http[0]] :
      { for name in ["GEMINI_FALLBACK_MODEL", "ALLOWED_MODELS", "ALLOWED_PREFIXES", "MAX_IMAGE_SIZE", "THINKING_LEVEL", "IDENTITY", "CLASSICAL_FALLBACK", "MAX_USD_PER_DAY", "MAX_USD_PER_CATALOGUE", "ON_BUDGET"] : name => one(f.service_config).environment_variables[name] } == {
        GEMINI_FALLBACK_MODEL = "gemini-3.1-flash-lite-image,gemini-3-pro-image"
        ALLOWED_MODELS        = "gemini-2.5-flash-image,gemini-3-pro-image"
        ALLOWED_PREFIXES      = "team-a/,=brand/,team-a/=gs://pictures/a/"
        MAX_IMAGE_SIZE        = "2K"
        THINKING_LEVEL        = "medium"
        IDENTITY              = "exact"
        CLASSICAL_FALLBACK    = "true"
        MAX_USD_PER_DAY       = "12.5"
        MAX_USD_PER_CATALOGUE = "0.75"
        ON_BUDGET             = "fail"
      }
    ])
    error_message = "Chain, sizes and caps must reach both functions as they were set: each of them spends."
  }

  assert {
    condition     = strcontains(output.spending_cap, "12.5 USD")
    error_message = "Whoever applies must read at how much the function stops."
  }
}

run "no_cap" {
  command = plan

  variables {
    max_usd_per_day = null
  }

  assert {
    condition     = !contains(keys(one(google_cloudfunctions2_function.composite.service_config).environment_variables), "MAX_USD_PER_DAY")
    error_message = "Null is no cap; an empty or zero MAX_USD_PER_DAY would be something else."
  }

  assert {
    condition     = strcontains(output.spending_cap, "NO CAP")
    error_message = "Whoever applies without a cap must read so."
  }
}

run "quota_becomes_instances" {
  command = plan

  variables {
    model_requests_per_minute = 600
    pair_seconds              = 8
    concurrency               = 8
  }

  assert {
    condition     = output.limits.instances == 10 && output.limits.concurrency == 8
    error_message = "600 calls a minute of 8 s each are 80 in flight: 10 instances of 8."
  }
}

run "a_small_quota_holds_one_instance_back" {
  command = plan

  variables {
    model_requests_per_minute = 10
    pair_seconds              = 8
    concurrency               = 4
  }

  assert {
    condition     = output.limits.instances == 1 && output.limits.concurrency == 1
    error_message = "10 calls a minute of 8 s each are one in flight; four threads of the only instance would overrun that."
  }

  assert {
    condition     = one(google_cloudfunctions2_function.composite.service_config).environment_variables["THREADS"] == "1"
    error_message = "Threads must follow the concurrency that the quota leaves."
  }
}

run "longest_deadline" {
  command = plan

  variables {
    event_deadline_seconds = 480
  }

  assert {
    condition     = one(google_cloudfunctions2_function.composite.service_config).timeout_seconds <= 540
    error_message = "The platform refuses an event-driven function with more than 540 s."
  }
}

run "api_key_in_a_secret_made_here" {
  command = apply

  variables {
    auth                   = "api_key"
    api_key_secret_version = 3
  }

  assert {
    condition     = one(one(google_cloudfunctions2_function.composite.service_config).secret_environment_variables).version == "3"
    error_message = "The secret's version must be a number: \"latest\" changes a running service unseen and cannot be taken back."
  }

  assert {
    condition     = one(one(google_cloudfunctions2_function.composite.service_config).secret_environment_variables).secret == "composite-gemini-api-key" && one(one(google_cloudfunctions2_function.composite.service_config).secret_environment_variables).key == "GEMINI_API_KEY"
    error_message = "The function must get the key from Secret Manager, under the name that it reads."
  }

  assert {
    condition     = !contains(keys(one(google_cloudfunctions2_function.composite.service_config).environment_variables), "GEMINI_API_KEY")
    error_message = "As a plain variable the key would be readable in the console, in the state and in every plan."
  }

  assert {
    condition     = google_secret_manager_secret_iam_member.runtime[0].role == "roles/secretmanager.secretAccessor" && google_secret_manager_secret_iam_member.runtime[0].secret_id == google_secret_manager_secret.api_key[0].id
    error_message = "The function must read this one secret, not every secret of the project."
  }

  assert {
    condition     = google_secret_manager_secret.api_key[0].deletion_protection
    error_message = "A terraform destroy would delete the key unless destroy_data is set."
  }

  assert {
    condition     = length(google_project_iam_member.runtime_calls_model) == 0 && length(google_project_iam_custom_role.model_caller) == 0
    error_message = "In api_key mode the function needs no right on Vertex AI."
  }

  assert {
    condition     = one(google_cloudfunctions2_function.composite.service_config).environment_variables["GOOGLE_GENAI_USE_VERTEXAI"] == "false"
    error_message = "The SDK would go to Vertex AI in spite of the key."
  }
}

run "api_key_by_reference" {
  command = plan

  variables {
    auth           = "api_key"
    api_key_secret = "projects/vault-project/secrets/gemini"
  }

  assert {
    condition     = length(google_secret_manager_secret.api_key) == 0
    error_message = "A secret that is given must not be made again."
  }

  assert {
    condition     = one(one(google_cloudfunctions2_function.composite.service_config).secret_environment_variables).project_id == "vault-project" && google_secret_manager_secret_iam_member.runtime[0].secret_id == "projects/vault-project/secrets/gemini"
    error_message = "The key must be read where it is, in its own project."
  }
}

run "http_function" {
  command = plan

  variables {
    http_invokers             = ["serviceAccount:shop@demo-project.iam.gserviceaccount.com"]
    model_requests_per_minute = 120
  }

  assert {
    condition     = one(google_cloudfunctions2_function.composite_http[0].build_config).entry_point == "composite_http" && length(google_cloudfunctions2_function.composite_http[0].event_trigger) == 0
    error_message = "The second function is main.py's composite_http, called by HTTP and by no event."
  }

  assert {
    condition     = [for m in google_cloud_run_v2_service_iam_member.http_invoker : "${m.role} ${m.member} ${m.name}"] == ["roles/run.invoker serviceAccount:shop@demo-project.iam.gserviceaccount.com composite-http"]
    error_message = "Only who is named may call the HTTP function, on this service only."
  }

  assert {
    condition     = one(google_cloudfunctions2_function.composite_http[0].service_config).ingress_settings == "ALLOW_INTERNAL_ONLY"
    error_message = "The HTTP function must stay inside unless http_ingress opens it."
  }

  assert {
    condition = sum([for c in concat(google_cloudfunctions2_function.composite.service_config, google_cloudfunctions2_function.composite_http[0].service_config) :
      c.max_instance_count * c.max_instance_request_concurrency
    ]) * 60 / var.pair_seconds <= var.model_requests_per_minute
    error_message = "Both functions together would call the model more often than its quota allows."
  }

  assert {
    condition     = one(google_cloudfunctions2_function.composite_http[0].service_config).environment_variables["THREADS"] == tostring(one(google_cloudfunctions2_function.composite_http[0].service_config).max_instance_request_concurrency)
    error_message = "The HTTP function's threads must equal its concurrency."
  }
}

run "results_are_not_sources" {
  command = plan

  variables {
    allowed_buckets = ["demo-project-composite-output"]
  }

  expect_failures = [google_cloudfunctions2_function.composite]
}
