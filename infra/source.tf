locals {
  root = "${path.module}/.."

  # An allow-list: what is not named here is not deployed, so a key, a note or a picture that lies about in a
  # work tree never leaves it. The emulators and the review page run on a developer's machine only.
  source_files = sort(setsubtract(
    setunion(
      ["main.py", "requirements.txt"],
      fileset(local.root, "function/**/*.py"),
      fileset(local.root, "function/**/*.json"),
    ),
    setunion(
      fileset(local.root, "function/local/**"),
      fileset(local.root, "function/review/**"),
      fileset(local.root, "function/**/__pycache__/**"),
    ),
  ))

  # Over names and contents, not over the archive: a zip may differ with the tool's version or a file's time.
  source_hash = sha256(jsonencode({ for name in local.source_files : name => filesha256("${local.root}/${name}") }))
}

# The archive in the form that Cloud Build takes.
data "archive_file" "source" {
  type             = "zip"
  output_path      = "${path.module}/build/source.zip"
  output_file_mode = "0644"

  dynamic "source" {
    for_each = local.source_files
    content {
      filename = source.value
      content  = file("${local.root}/${source.value}")
    }
  }
}

# The hash in the name redeploys the function when its code changes, and at no other time. The new archive is
# there before the old one goes, so that a failed upload leaves what is running deployable.
resource "google_storage_bucket_object" "source" {
  name   = "source-${local.source_hash}.zip"
  bucket = google_storage_bucket.source.name
  source = data.archive_file.source.output_path

  lifecycle {
    create_before_destroy = true
  }
}
