terraform {
  # 1.9 is the first version in which a variable's validation may look at other variables.
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.0, < 9.0"
    }
    archive = {
      source  = "hashicorp/archive"
      version = ">= 2.4, < 3.0"
    }
    random = {
      source  = "hashicorp/random"
      version = ">= 3.6, < 4.0"
    }
    time = {
      source  = "hashicorp/time"
      version = ">= 0.11, < 1.0"
    }
  }
}

# The labels let a bill, a log or an inventory be filtered by what made a resource.
provider "google" {
  project        = var.project_id
  region         = var.region
  default_labels = merge({ app = var.name, managed-by = "terraform" }, var.labels)
}

# Budgets belong to a billing account, not to a project; with a person's own credentials that API asks which
# project's quota pays for the call.
provider "google" {
  alias                 = "billing"
  project               = var.project_id
  billing_project       = var.project_id
  user_project_override = true
}
