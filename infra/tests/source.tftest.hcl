# What leaves this work tree for the cloud.

mock_provider "google" {}
mock_provider "google" {
  alias = "billing"
}
mock_provider "archive" {}
mock_provider "time" {}
mock_provider "random" {}

variables {
  project_id = "demo-project"
  use_gcloud = false
}

run "allow_list" {
  command = plan

  assert {
    condition     = contains(local.source_files, "main.py") && contains(local.source_files, "requirements.txt") && contains(local.source_files, "function/settings.py") && contains(local.source_files, "function/generation/models.json") && contains(local.source_files, "function/imaging/profiles/AdobeCompat-v2.icc.b64")
    error_message = "The archive lacks something that the function needs to start."
  }

  assert {
    condition     = alltrue([for f in local.source_files : f == "main.py" || f == "requirements.txt" || startswith(f, "function/")])
    error_message = "The archive must hold main.py, requirements.txt and function/, and nothing else of the work tree."
  }

  assert {
    condition     = length(regexall("function/tools/|__pycache__", join(" ", local.source_files))) == 0
    error_message = "Commands, emulators, the review page and byte code belong on a person's machine; deployed they are attack surface and make the hash depend on the machine."
  }

  assert {
    condition     = alltrue([for f in local.source_files : endswith(f, ".py") || endswith(f, ".json") || endswith(f, ".icc.b64") || f == "requirements.txt"])
    error_message = "A file of another kind could be a key or a picture that lies about."
  }

  assert {
    condition     = google_storage_bucket_object.source.name == "source-${local.source_hash}.zip" && length(local.source_hash) == 64
    error_message = "The object's name must follow the content, and only the content: else a change is not deployed, or every apply deploys."
  }

  assert {
    condition     = one(one(one(google_cloudfunctions2_function.composite.build_config).source).storage_source).object == google_storage_bucket_object.source.name
    error_message = "The function must be built from the archive of this content."
  }

  assert {
    condition     = toset([for s in data.archive_file.source.source : s.filename]) == toset(local.source_files)
    error_message = "The archive must hold exactly what was hashed."
  }

  assert {
    condition     = contains(keys(google_project_service.api), "containerscanning.googleapis.com") && one(google_artifact_registry_repository.images.vulnerability_scanning_config).enablement_config == "INHERITED"
    error_message = "A library with a known hole would be deployed, and stay, unseen."
  }
}
