# Who may do what. Each assertion is a right that somebody would miss, or one that nobody should have.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
  mock_data "google_storage_project_service_account" {
    defaults = {
      email_address = "service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
      member        = "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
    }
  }
  override_resource {
    target = google_project_iam_custom_role.model_caller[0]
    values = { id = "projects/demo-project/roles/composite_model_caller" }
  }
  override_resource {
    target = google_service_account.this["runtime"]
    values = { email = "runtime@demo-project", member = "serviceAccount:runtime@demo-project", id = "projects/demo-project/serviceAccounts/runtime" }
  }
  override_resource {
    target = google_service_account.this["trigger"]
    values = { email = "trigger@demo-project", member = "serviceAccount:trigger@demo-project", id = "projects/demo-project/serviceAccounts/trigger" }
  }
  override_resource {
    target = google_service_account.this["build"]
    values = { email = "build@demo-project", member = "serviceAccount:build@demo-project", id = "projects/demo-project/serviceAccounts/build" }
  }
}
mock_provider "google" {
  alias = "billing"
}
mock_provider "archive" {}
mock_provider "time" {}
mock_provider "random" {
  override_resource {
    target = random_id.roles
    values = { hex = "0a1b2c3d" }
  }
}

variables {
  project_id      = "demo-project"
  use_gcloud      = false
  allowed_buckets = ["shared-pictures"]
}

run "one_identity_for_each_job" {
  command = apply

  assert {
    condition     = one(google_cloudfunctions2_function.composite.service_config).service_account_email == "runtime@demo-project"
    error_message = "The function would run as the default compute account, which may edit the whole project."
  }

  assert {
    condition     = one(google_cloudfunctions2_function.composite.build_config).service_account == "projects/demo-project/serviceAccounts/build"
    error_message = "The build runs what requirements.txt brings in; it must not do so with the function's rights or the default account's."
  }

  assert {
    condition     = one(google_cloudfunctions2_function.composite.event_trigger).service_account_email == "trigger@demo-project"
    error_message = "Deliveries must be signed by the trigger's own account, which is all that may call the function."
  }

  assert {
    condition     = google_storage_bucket_iam_member.runtime_reads_input.role == "roles/storage.objectViewer" && google_storage_bucket_iam_member.runtime_reads_input.bucket == google_storage_bucket.input[0].name
    error_message = "The function must read (and list: else a missing image is a 403) the input bucket, and no more than read."
  }

  assert {
    condition     = google_storage_bucket_iam_member.runtime_creates_rows.role == "roles/storage.objectCreator" && google_storage_bucket_iam_member.runtime_creates_rows.bucket == google_storage_bucket.input[0].name
    error_message = "The function writes catalogue rows to the input bucket: it must be able to create objects there, and no more."
  }

  assert {
    condition     = google_storage_bucket_iam_member.runtime_replaces_rows.bucket == google_storage_bucket.input[0].name && google_storage_bucket_iam_member.runtime_replaces_rows.role == google_project_iam_custom_role.row_replacer.id && toset(google_project_iam_custom_role.row_replacer.permissions) == toset(["storage.objects.delete"])
    error_message = "A re-uploaded catalogue replaces the rows that it changes; without this right each of them is a 403."
  }

  assert {
    condition     = one(google_storage_bucket_iam_member.runtime_creates_rows.condition).expression == "resource.name.endsWith(\".json\")" && one(google_storage_bucket_iam_member.runtime_replaces_rows.condition).expression == "resource.name.endsWith(\".json\")"
    error_message = "Without the condition a hijacked function could replace or delete every uploaded picture."
  }

  assert {
    condition     = google_storage_bucket_iam_member.runtime_writes_output.role == "roles/storage.objectUser" && google_storage_bucket_iam_member.runtime_writes_output.bucket == google_storage_bucket.output[0].name
    error_message = "Results are replaced for re-uploaded manifests, counters of spending at each reservation: objectCreator does not suffice in the output bucket, objectAdmin is too much."
  }

  assert {
    condition     = [for m in google_storage_bucket_iam_member.runtime_reads_allowed : "${m.bucket} ${m.role}"] == ["shared-pictures roles/storage.objectViewer"]
    error_message = "A bucket that manifests may name must be readable, and only readable."
  }

  assert {
    condition = alltrue([for m in [
      google_storage_bucket_iam_member.runtime_reads_input.member,
      google_storage_bucket_iam_member.runtime_creates_rows.member,
      google_storage_bucket_iam_member.runtime_replaces_rows.member,
      google_storage_bucket_iam_member.runtime_writes_output.member,
      google_storage_bucket_iam_member.runtime_reads_allowed["shared-pictures"].member,
      google_project_iam_member.runtime_calls_model[0].member,
    ] : m == "serviceAccount:runtime@demo-project"])
    error_message = "The function's rights went to another identity."
  }

  assert {
    condition     = toset(google_project_iam_custom_role.model_caller[0].permissions) == toset(["aiplatform.endpoints.predict"])
    error_message = "Calling a published model takes one permission. Any other would let a hijacked function train, deploy or delete in Vertex AI."
  }

  assert {
    condition     = google_project_iam_member.runtime_calls_model[0].role == "projects/demo-project/roles/composite_model_caller"
    error_message = "On the project the function must hold the one-permission role, not roles/aiplatform.user."
  }

  assert {
    condition     = google_project_iam_custom_role.row_replacer.role_id == "composite_row_replacer_0a1b2c3d" && google_project_iam_custom_role.model_caller[0].role_id == "composite_model_caller_0a1b2c3d"
    error_message = "Cloud IAM refuses a custom role's id for 37 days after its deletion: with fixed ids a deployment could not be made again after a destroy."
  }

  assert {
    condition     = google_project_iam_member.trigger_event_receiver.role == "roles/eventarc.eventReceiver" && google_project_iam_member.trigger_event_receiver.member == "serviceAccount:trigger@demo-project"
    error_message = "Without eventReceiver the trigger is refused."
  }

  assert {
    condition     = google_cloud_run_v2_service_iam_member.trigger_invoker[0].role == "roles/run.invoker" && google_cloud_run_v2_service_iam_member.trigger_invoker[0].member == "serviceAccount:trigger@demo-project"
    error_message = "Only the trigger's account may call the function, or anybody with a token could make it spend."
  }

  assert {
    condition     = google_cloud_run_v2_service_iam_member.trigger_invoker[0].name == google_cloudfunctions2_function.composite.name
    error_message = "The trigger may call this one service, not every service of the project."
  }

  assert {
    condition     = google_artifact_registry_repository_iam_member.build_writer.role == "roles/artifactregistry.writer" && google_artifact_registry_repository_iam_member.build_writer.repository == google_artifact_registry_repository.images.name
    error_message = "The build pushes to this deployment's repository; anywhere else it could replace another service's image."
  }

  assert {
    condition     = one(google_cloudfunctions2_function.composite.build_config).docker_repository == google_artifact_registry_repository.images.id
    error_message = "The image must go to the repository that the build may write."
  }

  assert {
    condition     = one(google_project_iam_member.build_staging_reader.condition).expression == "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-123456789012-us-central1\")"
    error_message = "Without its condition the build could read every bucket of the project."
  }

  assert {
    condition     = google_storage_bucket_iam_member.build_source_reader.bucket == google_storage_bucket.source.name && google_storage_bucket_iam_member.build_source_reader.role == "roles/storage.objectViewer"
    error_message = "The build reads the archive, and must not write it: what is deployed is what was reviewed."
  }

  assert {
    condition     = google_project_iam_member.build_log_writer.role == "roles/logging.logWriter"
    error_message = "A build that cannot log does not start."
  }

  assert {
    condition     = google_project_iam_member.storage_agent_publisher[0].role == "roles/pubsub.publisher" && google_project_iam_member.storage_agent_publisher[0].member == "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
    error_message = "Without it Cloud Storage cannot raise events and the trigger is refused."
  }

  assert {
    condition = { for k, m in google_project_iam_member.service_agent : k => "${m.role} ${m.member}" } == {
      eventarc = "roles/eventarc.serviceAgent serviceAccount:service-123456789012@gcp-sa-eventarc.iam.gserviceaccount.com"
      pubsub   = "roles/pubsub.serviceAgent serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
    }
    error_message = "On a fresh project the first apply fails (\"Permission denied while using the Eventarc Service Agent\") unless the agents hold their roles beforehand."
  }

  assert {
    condition     = time_sleep.rights_propagated.create_duration == "180s"
    error_message = "Rights take minutes to arrive; without the wait the first apply of a fresh project fails."
  }

  assert {
    condition     = alltrue([for a in google_project_service.api : !a.disable_on_destroy]) && alltrue([for a in google_project_service.chosen : !a.disable_on_destroy])
    error_message = "Tearing this down would switch APIs off under everything else in the project."
  }
}

run "agents_are_made_before_their_first_use" {
  command = plan

  variables {
    use_gcloud = true
  }

  assert {
    condition     = toset(keys(terraform_data.service_agent)) == toset(["eventarc", "pubsub"])
    error_message = "A role cannot be granted to an agent that does not exist yet, and enabling the API does not make it."
  }
}

run "agents_that_somebody_else_manages" {
  command = plan

  variables {
    manage_service_agents = false
  }

  assert {
    condition     = length(google_project_iam_member.service_agent) == 0 && length(google_project_iam_member.storage_agent_publisher) == 0
    error_message = "Destroying this deployment would take the agents' roles from everything else in the project that has a trigger."
  }
}
