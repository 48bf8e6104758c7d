locals {
  signing = var.signing_key == null ? 0 : 1
  # Signing begins once there is a certificate: with a key alone every pair would wait for one.
  signs = var.signing_key != null && var.signing_certificate_version != null
}

# Using the key to sign is all that the function may do with it: not see others, not change it. The key itself is not
# made here: a certificate is issued for it, so it outlives a deployment, and no `terraform destroy` ends it.
resource "google_kms_crypto_key_iam_member" "runtime_signs" {
  count = local.signing

  crypto_key_id = split("/cryptoKeyVersions/", var.signing_key)[0]
  role          = "roles/cloudkms.signer"
  member        = google_service_account.this["runtime"].member
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
