locals {
  new_secret = var.auth == "api_key" && var.api_key_secret == null
  secret_id  = var.auth == "vertex" ? null : local.new_secret ? google_secret_manager_secret.api_key[0].id : var.api_key_secret
}

# Holds the Gemini API key in api_key mode. Created empty: a value given to Terraform would stay readable in
# its state. It is added by `gcloud secrets versions add`, and the function is told the version's number.
resource "google_secret_manager_secret" "api_key" {
  count = local.new_secret ? 1 : 0

  secret_id           = "${var.name}-gemini-api-key"
  deletion_protection = !var.destroy_data

  replication {
    auto {}
  }

  depends_on = [google_project_service.chosen]
}

# The function's identity reads this one secret.
resource "google_secret_manager_secret_iam_member" "runtime" {
  count = var.auth == "api_key" ? 1 : 0

  secret_id = local.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.this["runtime"].member
}
