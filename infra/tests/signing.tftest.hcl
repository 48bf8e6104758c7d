# Content credentials: a key that never leaves Cloud KMS, and a certificate that somebody has to have issued first.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
  override_resource {
    target = google_service_account.this["runtime"]
    values = { email = "runtime@demo-project", member = "serviceAccount:runtime@demo-project", id = "projects/demo-project/serviceAccounts/runtime" }
  }
  mock_resource "google_secret_manager_secret" {
    defaults = { id = "projects/demo-project/secrets/composite-signing-certificate" }
  }
}
mock_provider "google" {
  alias = "billing"
}
mock_provider "archive" {}
mock_provider "time" {}
mock_provider "random" {}

variables {
  project_id    = "demo-project"
  use_gcloud    = false
  http_invokers = ["group:shop@example.com"]
}

run "nothing_is_made_unasked" {
  command = plan

  assert {
    condition     = length(google_kms_crypto_key_iam_member.runtime_signs) == 0 && length(google_secret_manager_secret.signing_certificate) == 0 && !contains(keys(one(google_cloudfunctions2_function.composite.service_config).environment_variables), "SIGNING_KEY") && !strcontains(local.requirements, "c2pa-python==")
    error_message = "Nobody has asked for signatures: no secret, no right to sign, no library."
  }
}

run "a_key_that_is_made" {
  command = plan

  variables {
    use_gcloud                  = true
    make_signing_key            = true
    signing_key_version         = 2
    signing_certificate_version = 3
  }

  assert {
    condition     = one(google_cloudfunctions2_function.composite.service_config).environment_variables["SIGNING_KEY"] == "projects/demo-project/locations/us-central1/keyRings/composite-signing/cryptoKeys/credentials/cryptoKeyVersions/2"
    error_message = "The function must sign with the version of the key that the certificate is of."
  }

  assert {
    condition     = google_kms_crypto_key_iam_member.runtime_signs[0].crypto_key_id == "projects/demo-project/locations/us-central1/keyRings/composite-signing/cryptoKeys/credentials" && length(terraform_data.signing_key) == 1
    error_message = "The key must be made, and the function be able to sign with it."
  }

  assert {
    condition     = contains(local.chosen_apis, "cloudkms.googleapis.com") && strcontains(local.requirements, "c2pa-python==")
    error_message = "Without the API there is no key, without the library no signature."
  }
}

run "a_key_that_nobody_can_make" {
  command = plan

  variables {
    make_signing_key = true
  }

  expect_failures = [terraform_data.signing_key]
}

run "two_keys" {
  command = plan

  variables {
    make_signing_key    = true
    signing_key_version = 0
    signing_key         = "projects/keys-project/locations/europe-west1/keyRings/signing/cryptoKeys/credentials/cryptoKeyVersions/2"
  }

  expect_failures = [var.signing_key, var.signing_key_version]
}

run "signatures_without_the_library" {
  command = plan

  variables {
    signing_key         = "projects/keys-project/locations/europe-west1/keyRings/signing/cryptoKeys/credentials/cryptoKeyVersions/2"
    content_credentials = false
  }

  expect_failures = [var.content_credentials]
}

run "credentials_without_a_signature" {
  command = plan

  variables {
    content_credentials = true
  }

  assert {
    condition     = strcontains(local.requirements, "c2pa-python==") && length(google_secret_manager_secret.signing_certificate) == 0
    error_message = "What pictures bring along must be read where nobody signs, too."
  }
}

run "key_before_its_certificate" {
  command = apply

  variables {
    signing_key   = "projects/keys-project/locations/europe-west1/keyRings/signing/cryptoKeys/credentials/cryptoKeyVersions/2"
    timestamp_url = "http://time.example.com"
  }

  assert {
    condition     = !contains(keys(one(google_cloudfunctions2_function.composite.service_config).environment_variables), "SIGNING_KEY") && length(one(google_cloudfunctions2_function.composite.service_config).secret_environment_variables) == 0
    error_message = "With a key and no certificate every pair would wait for an hour, and come unsigned."
  }

  assert {
    condition     = contains(local.chosen_apis, "cloudkms.googleapis.com") && contains(local.chosen_apis, "secretmanager.googleapis.com")
    error_message = "In a fresh project the key could not be used, and the secret not be made."
  }
}

run "signing" {
  command = apply

  variables {
    signing_key                 = "projects/keys-project/locations/europe-west1/keyRings/signing/cryptoKeys/credentials/cryptoKeyVersions/2"
    signing_certificate_version = 3
    timestamp_url               = "http://time.example.com"
  }

  assert {
    condition = alltrue([
      for one_of in [google_cloudfunctions2_function.composite, google_cloudfunctions2_function.composite_http[0]] :
      one(one_of.service_config).environment_variables["SIGNING_KEY"] == "projects/keys-project/locations/europe-west1/keyRings/signing/cryptoKeys/credentials/cryptoKeyVersions/2"
      && one(one_of.service_config).environment_variables["TIMESTAMP_URL"] == "http://time.example.com"
      && one(one(one_of.service_config).secret_environment_variables).key == "SIGNING_CERTIFICATE"
      && one(one(one_of.service_config).secret_environment_variables).version == "3"
    ])
    error_message = "Both functions must sign, with the key version that the certificate is of; \"latest\" would let the two part unseen."
  }

  assert {
    condition     = google_kms_crypto_key_iam_member.runtime_signs[0].role == "roles/cloudkms.signer" && google_kms_crypto_key_iam_member.runtime_signs[0].member == "serviceAccount:runtime@demo-project" && google_kms_crypto_key_iam_member.runtime_signs[0].crypto_key_id == "projects/keys-project/locations/europe-west1/keyRings/signing/cryptoKeys/credentials"
    error_message = "The function must be able to sign with this key, and to do nothing else with any."
  }

  assert {
    condition     = google_secret_manager_secret_iam_member.runtime_reads_certificate[0].role == "roles/secretmanager.secretAccessor" && google_secret_manager_secret_iam_member.runtime_reads_certificate[0].secret_id == google_secret_manager_secret.signing_certificate[0].id
    error_message = "The function must read this one secret, not every secret of the project."
  }
}

run "a_certificate_of_no_key" {
  command = plan

  variables {
    signing_certificate_version = 1
  }

  expect_failures = [var.signing_certificate_version]
}

run "no_version_of_a_certificate" {
  command = plan

  variables {
    signing_key                 = "projects/keys-project/locations/europe-west1/keyRings/signing/cryptoKeys/credentials/cryptoKeyVersions/2"
    signing_certificate_version = 0
  }

  expect_failures = [var.signing_certificate_version]
}
