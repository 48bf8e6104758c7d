# Values that would fail late, cost money or open a door are refused in the plan, by name.

mock_provider "google" {}
mock_provider "google" {
  alias = "billing"
}
mock_provider "archive" {}
mock_provider "time" {}

variables {
  project_id = "demo-project"
  use_gcloud = false
}

run "project_id_is_not_a_title" {
  command = plan

  variables {
    project_id = "My Project"
  }

  expect_failures = [var.project_id]
}

run "region_is_not_a_multi_region" {
  command = plan

  variables {
    region = "US"
  }

  expect_failures = [var.region]
}

run "name_leaves_room_for_service_accounts" {
  command = plan

  variables {
    name = "a-name-that-is-far-too-long"
  }

  expect_failures = [var.name]
}

run "labels_are_lower_case" {
  command = plan

  variables {
    labels = { Team = "Shop" }
  }

  expect_failures = [var.labels]
}

run "existing_input_bucket_is_a_name" {
  command = plan

  variables {
    existing_input_bucket = "gs://shop-uploads"
  }

  expect_failures = [var.existing_input_bucket]
}

run "existing_output_bucket_is_a_name" {
  command = plan

  variables {
    existing_output_bucket = "gs://shop-results"
  }

  expect_failures = [var.existing_output_bucket]
}

run "allowed_buckets_are_names" {
  command = plan

  variables {
    allowed_buckets = ["gs://shared-pictures"]
  }

  expect_failures = [var.allowed_buckets]
}

run "kms_key_is_a_full_name" {
  command = plan

  variables {
    kms_key = "my-key"
  }

  expect_failures = [var.kms_key]
}

run "soft_delete_is_0_or_a_week" {
  command = plan

  variables {
    soft_delete_days = 3
  }

  expect_failures = [var.soft_delete_days]
}

run "versions_are_kept_a_day" {
  command = plan

  variables {
    input_versions_days = 0
  }

  expect_failures = [var.input_versions_days]
}

run "auth_is_one_of_two" {
  command = plan

  variables {
    auth = "none"
  }

  expect_failures = [var.auth]
}

run "a_key_is_not_a_secret_name" {
  command = plan

  variables {
    api_key_secret = "AIza-not-a-secret-name"
  }

  expect_failures = [var.api_key_secret]
}

run "a_version_is_a_number" {
  command = plan

  variables {
    api_key_secret_version = 0
  }

  expect_failures = [var.api_key_secret_version]
}

run "model_is_an_id" {
  command = plan

  variables {
    model = "models/gemini 2.5"
  }

  expect_failures = [var.model]
}

run "fallback_model_is_an_id" {
  command = plan

  variables {
    fallback_model = ""
  }

  expect_failures = [var.fallback_model]
}

run "model_location_is_a_location" {
  command = plan

  variables {
    model_location = "Earth"
  }

  expect_failures = [var.model_location]
}

run "max_px_is_in_its_range" {
  command = plan

  variables {
    max_px = 128
  }

  expect_failures = [var.max_px]
}

run "max_attempts_is_in_its_range" {
  command = plan

  variables {
    max_attempts = 0
  }

  expect_failures = [var.max_attempts]
}

run "a_quota_is_at_least_one" {
  command = plan

  variables {
    model_requests_per_minute = 0
  }

  expect_failures = [var.model_requests_per_minute]
}

run "pair_seconds_is_at_least_one" {
  command = plan

  variables {
    pair_seconds = 0
  }

  expect_failures = [var.pair_seconds]
}

run "concurrency_is_at_least_one" {
  command = plan

  variables {
    concurrency = 0
  }

  expect_failures = [var.concurrency]
}

run "a_fraction_of_a_cpu_has_no_concurrency" {
  command = plan

  variables {
    cpu = 0.5
  }

  expect_failures = [var.cpu]
}

run "memory_is_whole_gibibytes" {
  command = plan

  variables {
    memory_gib = 0.5
  }

  expect_failures = [var.memory_gib]
}

run "min_instances_is_not_negative" {
  command = plan

  variables {
    min_instances = -1
  }

  expect_failures = [var.min_instances]
}

run "a_deadline_beyond_the_platform_s" {
  command = plan

  variables {
    event_deadline_seconds = 540
  }

  expect_failures = [var.event_deadline_seconds]
}

run "an_age_beyond_the_platform_s" {
  command = plan

  variables {
    event_max_age_seconds = 90000
  }

  expect_failures = [var.event_max_age_seconds]
}

run "nobody_calls_without_a_token" {
  command = plan

  variables {
    http_invokers = ["allUsers"]
  }

  expect_failures = [var.http_invokers]
}

run "every_google_account_is_everybody" {
  command = plan

  variables {
    http_invokers = ["allAuthenticatedUsers"]
  }

  expect_failures = [var.http_invokers]
}

run "http_ingress_is_one_of_three" {
  command = plan

  variables {
    http_ingress = "OPEN"
  }

  expect_failures = [var.http_ingress]
}

run "alert_emails_are_addresses" {
  command = plan

  variables {
    alert_emails = ["ops"]
  }

  expect_failures = [var.alert_emails]
}

run "notification_channels_are_full_names" {
  command = plan

  variables {
    notification_channels = ["42"]
  }

  expect_failures = [var.notification_channels]
}

run "failures_are_counted_from_one" {
  command = plan

  variables {
    alert_failures_per_hour = 0
  }

  expect_failures = [var.alert_failures_per_hour]
}

run "spend_is_above_nothing" {
  command = plan

  variables {
    alert_usd_per_hour = 0
  }

  expect_failures = [var.alert_usd_per_hour]
}

run "billing_account_is_an_id" {
  command = plan

  variables {
    billing_account = "my-account"
  }

  expect_failures = [var.billing_account]
}

run "monthly_budget_is_whole" {
  command = plan

  variables {
    monthly_budget = 0.5
  }

  expect_failures = [var.monthly_budget]
}

run "input_and_output_are_two_buckets" {
  command = plan

  variables {
    existing_input_bucket  = "shop"
    existing_output_bucket = "shop"
  }

  expect_failures = [var.existing_output_bucket]
}
