# The archive in the form that Cloud Build takes.
data "archive_file" "source" {
  type             = "zip"
  output_path      = "${path.module}/build/source.zip"
  output_file_mode = "0644"

  dynamic "source" {
    for_each = local.source_files
    content {
      filename = source.value
      content  = source.value == "requirements.txt" ? local.requirements : file("${local.root}/${source.value}")
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
