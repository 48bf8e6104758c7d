locals {
  # Google's own agents in this project, and the role each must hold. An agent that is asked for before its first
  # use comes without its role. Enabling the API makes neither: they appear with the first trigger, too late.
  service_agents = {
    eventarc = "roles/eventarc.serviceAgent" # checks the bucket and makes the trigger's transport
    pubsub   = "roles/pubsub.serviceAgent"   # signs the deliveries and forwards dead letters
  }
  managed_agents = var.manage_service_agents ? local.service_agents : {}

  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

# Eventarc's agent is made when a first trigger is tried, and that first try fails ("Permission denied while
# using the Eventarc Service Agent"; hashicorp/terraform-provider-google#25294). So it is asked for here. The
# provider's resource for this (google_project_service_identity) is beta only; gcloud makes the same call.
resource "terraform_data" "service_agent" {
  for_each = var.use_gcloud ? local.managed_agents : {}

  triggers_replace = [data.google_project.this.number]

  provisioner "local-exec" {
    command = "gcloud beta services identity create --quiet --service=${each.key}.googleapis.com --project=${var.project_id}"
  }

  depends_on = [google_project_service.api]
}

# The roles that Google would grant to the agents itself after their first use, granted before it.
resource "google_project_iam_member" "service_agent" {
  for_each = local.managed_agents

  #checkov:skip=CKV_GCP_49:Google's own agents holding Google's own roles for them; without them no event is delivered. They are granted on projects only.

  project = var.project_id
  role    = each.value
  member  = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-${each.key}.iam.gserviceaccount.com"

  depends_on = [terraform_data.service_agent]
}

# The storage agent publishes the bucket's events to the topic that Eventarc makes. The topic does not exist
# before the trigger does, and the trigger is refused without this right: the project is the narrowest place.
resource "google_project_iam_member" "storage_agent_publisher" {
  count = var.manage_service_agents ? 1 : 0

  project = var.project_id
  role    = "roles/pubsub.publisher"
  member  = data.google_storage_project_service_account.this.member
}

# Reading the storage agent's name makes the agent.
data "google_storage_project_service_account" "this" {
  project = var.project_id

  depends_on = [google_project_service.api]
}

# A granted role reaches Google's own checks after two minutes as a rule, says IAM, and nothing reports that it
# has; the third minute is for the exceptions. The wait is repeated only when one of these rights changes.
resource "time_sleep" "rights_propagated" {
  create_duration = "180s"

  triggers = {
    agents  = join(",", [for m in google_project_iam_member.service_agent : m.member])
    storage = join(",", google_project_iam_member.storage_agent_publisher[*].member)
    trigger = google_project_iam_member.trigger_event_receiver.member
    build   = google_service_account.this["build"].member
  }

  depends_on = [
    google_artifact_registry_repository_iam_member.build_writer,
    google_project_iam_member.build_log_writer,
    google_project_iam_member.build_staging_reader,
    google_storage_bucket_iam_member.build_source_reader,
  ]
}
