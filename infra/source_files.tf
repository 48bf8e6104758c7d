# Terraform only, no provider: what is deployed can be asked of this file and local.carries_credentials alone
# (`terraform console`).

locals {
  root = "${path.module}/.."

  # An allow-list: what is not named here is not deployed, so a key, a note or a picture that lies about in a
  # work tree never leaves it. function/tools/ (commands, emulators, the review page) runs on a person's machine only.
  source_files = sort(setsubtract(
    setunion(
      ["main.py", "requirements.txt"],
      fileset(local.root, "function/**/*.py"),
      fileset(local.root, "function/**/*.json"),
      fileset(local.root, "function/**/*.icc.b64"),
    ),
    setunion(
      fileset(local.root, "function/tools/**"),
      fileset(local.root, "function/**/__pycache__/**"),
    ),
  ))

  # requirements.txt is what is deployed, developed and tested; the library of content credentials, a sixth of its size,
  # is deployed only where signing or reading is on (signing.tf). An entry is the pinned line and what is indented below it.
  credentials_packages = "/(?m)^(?:c2pa-python|toml)==[^\n]*\n(?:    [^\n]*\n)*/"
  requirements         = replace(file("${local.root}/requirements.txt"), local.carries_credentials ? "/^$/" : local.credentials_packages, "")

  # Over names and contents, not over the archive: a zip may differ with the tool's version or a file's time.
  source_hash = sha256(jsonencode({
    for name in local.source_files : name => name == "requirements.txt" ? sha256(local.requirements) : filesha256("${local.root}/${name}")
  }))

  # What every log line carries: enough to find the archive by, short enough to be paid for with each line.
  short_hash = substr(local.source_hash, 0, 12)
}
