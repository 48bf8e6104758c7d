# The trigger's identity receives events in the project's name. Eventarc checks this on the project only.
resource "google_project_iam_member" "trigger_event_receiver" {
  project = var.project_id
  role    = "roles/eventarc.eventReceiver"
  member  = google_service_account.this["trigger"].member
}

# It may call this one service. Until the binding is there, a few seconds after the trigger, deliveries are
# refused and come again.
resource "google_cloud_run_v2_service_iam_member" "trigger_invoker" {
  name     = google_cloudfunctions2_function.composite.name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.this["trigger"].member
}
