locals {
  apis = [
    "artifactregistry.googleapis.com",     # the built container image
    "cloudbuild.googleapis.com",           # builds it
    "cloudfunctions.googleapis.com",       # the function
    "cloudresourcemanager.googleapis.com", # the project's number, and rights bound on the project
    "containerscanning.googleapis.com",    # looks for known vulnerabilities in each image that is pushed
    "eventarc.googleapis.com",             # the trigger
    "iam.googleapis.com",                  # service accounts
    "logging.googleapis.com",              # log-based metrics
    "monitoring.googleapis.com",           # alerts and the dashboard
    "pubsub.googleapis.com",               # carries the trigger's events
    "run.googleapis.com",                  # what a function runs on
    "storage.googleapis.com",              # the buckets
  ]
  chosen_apis = concat(
    var.auth == "vertex" ? ["aiplatform.googleapis.com"] : ["generativelanguage.googleapis.com", "secretmanager.googleapis.com"],
    var.kms_key == null && local.signing == 0 ? [] : ["cloudkms.googleapis.com"],
    local.signing == 1 && var.auth == "vertex" ? ["secretmanager.googleapis.com"] : [],
    var.batch ? ["cloudscheduler.googleapis.com"] : [],
    var.billing_account == null ? [] : ["billingbudgets.googleapis.com"],
  )
}

# A fresh project has none of these on. They stay on after `terraform destroy`: something else may use them.
resource "google_project_service" "api" {
  for_each = toset(local.apis)

  service            = each.value
  disable_on_destroy = false
}

# What only some settings need. Apart from the others, because what waits for those is read again whenever one
# of them changes, and a project number that is "known after apply" would replace the agents' rights.
resource "google_project_service" "chosen" {
  for_each = toset(local.chosen_apis)

  service            = each.value
  disable_on_destroy = false
}

# The number is part of every service agent's name. Read once its API answers, so that a fresh project works.
data "google_project" "this" {
  project_id = var.project_id

  depends_on = [google_project_service.api]
}
