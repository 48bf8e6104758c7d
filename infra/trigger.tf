# The trigger's identity receives events in the project's name. Eventarc checks this on the project only.
resource "google_project_iam_member" "trigger_event_receiver" {
  project = var.project_id
  role    = "roles/eventarc.eventReceiver"
  member  = google_service_account.this["trigger"].member
}

# It may call this one service. Until the binding is there, a few seconds after the trigger, deliveries are
# refused and come again.
#
# Which is what the switch uses: without the binding Cloud Run answers 403 before any instance starts, Pub/Sub
# delivers again with longer and longer waits (dead_letters.tf counts them), and nothing is lost or paid for.
# Rights take some minutes to go, and what is being worked on is finished. The queue wakes within ten minutes of
# the binding's return.
resource "google_cloud_run_v2_service_iam_member" "trigger_invoker" {
  count = var.paused ? 0 : 1

  name     = google_cloudfunctions2_function.composite.name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.this["trigger"].member
}
