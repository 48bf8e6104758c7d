locals {
  # A key that is made here is called so. gcloud makes it once; see below.
  made_key    = "projects/${var.project_id}/locations/${var.region}/keyRings/${var.name}-signing/cryptoKeys/credentials"
  signing_key = var.make_signing_key ? "${local.made_key}/cryptoKeyVersions/${var.signing_key_version}" : var.signing_key
  signing     = local.signing_key == null ? 0 : 1
  # Signing begins once there is a certificate: with a key alone every pair would wait for one.
  signs = local.signing_key != null && var.signing_certificate_version != null

  # Signing needs the library. Reading the credentials of sources is optional; they are kept either way.
  carries_credentials = coalesce(var.content_credentials, local.signing == 1)
}

# The key in Cloud KMS, and its first version. Not a resource: a certificate is issued for the key, so it outlives a
# deployment, and no `terraform destroy` may end it; a key ring cannot be deleted at all, and a second deployment of the
# same name uses it again. What is there is left as it is.
resource "terraform_data" "signing_key" {
  count = var.make_signing_key ? 1 : 0

  triggers_replace = [local.made_key]

  provisioner "local-exec" {
    environment = {
      RING    = "${var.name}-signing"
      OPTIONS = "--quiet --location=${var.region} --project=${var.project_id}"
    }
    command = <<-SHELL
      set -e
      gcloud kms keyrings describe $RING $OPTIONS >/dev/null 2>&1 || gcloud kms keyrings create $RING $OPTIONS
      gcloud kms keys describe credentials --keyring=$RING $OPTIONS >/dev/null 2>&1 || gcloud kms keys create credentials --keyring=$RING $OPTIONS --purpose=asymmetric-signing --default-algorithm=ec-sign-p256-sha256 --protection-level=hsm
    SHELL
  }

  lifecycle {
    precondition {
      condition     = var.use_gcloud
      error_message = "make_signing_key needs gcloud (use_gcloud); without it make the key yourself, and name it in signing_key."
    }
  }

  depends_on = [google_project_service.chosen]
}

# Using the key to sign is all that the function may do with it: not see others, not change it.
resource "google_kms_crypto_key_iam_member" "runtime_signs" {
  count = local.signing

  crypto_key_id = split("/cryptoKeyVersions/", local.signing_key)[0]
  role          = "roles/cloudkms.signer"
  member        = google_service_account.this["runtime"].member

  depends_on = [terraform_data.signing_key]
}

# Holds the certificate and those above it, without the root. No secret as such (it is in every result); a version
# with a number is what can be reviewed, and taken back. Created empty: `gcloud secrets versions add` fills it.
resource "google_secret_manager_secret" "signing_certificate" {
  count = local.signing

  secret_id           = "${var.name}-signing-certificate"
  deletion_protection = !var.destroy_data

  replication {
    auto {}
  }

  depends_on = [google_project_service.chosen]
}

# The function's identity reads this one secret.
resource "google_secret_manager_secret_iam_member" "runtime_reads_certificate" {
  count = local.signing

  secret_id = google_secret_manager_secret.signing_certificate[0].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.this["runtime"].member
}
