# --- where ------------------------------------------------------------------------------------------------

variable "project_id" {
  type        = string
  description = "Project that everything is created in. Billing must be on."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id must be a project id (6 to 30 lower-case letters, digits and hyphens), not a name or number."
  }
}

variable "region" {
  type        = string
  default     = "us-central1"
  description = "Region of the function and of the buckets made here. Keep it the input bucket's own: an upload's event is raised there."

  validation {
    condition     = can(regex("^[a-z]+(-[a-z]+)+[0-9]+$", var.region))
    error_message = "region must look like us-central1 or europe-west4."
  }
}

variable "name" {
  type        = string
  default     = "composite"
  description = "Name of the function and beginning of every other name, so that two deployments can share a project."

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,17}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 19 lower-case letters, digits and hyphens: service account names end at 30 characters."
  }
}

variable "labels" {
  type        = map(string)
  default     = {}
  description = "Labels put on every resource that takes them (cost centre, team, environment)."

  validation {
    condition     = alltrue([for k, v in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", k)) && can(regex("^[a-z0-9_-]{0,63}$", v))])
    error_message = "labels must be lower-case letters, digits, hyphens and underscores, 63 at most; a key begins with a letter."
  }
}

variable "manage_service_agents" {
  type        = bool
  default     = true
  description = "Create Google's own agents of this project and grant them their roles. These are the project's, and `terraform destroy` takes them back: turn this off where a platform team or another deployment of this function in the same project already does it."

  validation {
    condition     = var.manage_service_agents != null
    error_message = "manage_service_agents must be true or false."
  }
}

variable "use_gcloud" {
  type        = bool
  default     = true
  description = "Let the gcloud command do, during apply, the two steps the google provider has no resource for: create the service agents of Eventarc and Pub/Sub before their first use, and hang the dead letter topic on the trigger's own subscription. Turn off where gcloud is not installed; the agents must exist then (they do once any Eventarc trigger was made in the project), and an event that is not settled within 24 hours is dropped without a trace in the queue."

  validation {
    condition     = var.use_gcloud != null
    error_message = "use_gcloud must be true or false."
  }
}

# --- buckets ----------------------------------------------------------------------------------------------

variable "existing_input_bucket" {
  type        = string
  default     = null
  description = "Bucket of this project to watch, when there is one already; null makes one. It keeps its own settings, and needs uniform bucket-level access: the function's right to write there is conditional."

  validation {
    condition     = var.existing_input_bucket == null || can(regex("^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$", var.existing_input_bucket))
    error_message = "existing_input_bucket must be a bucket's name, without gs://."
  }
}

variable "existing_output_bucket" {
  type        = string
  default     = null
  description = "Bucket for results, when there is one already; null makes one. It keeps its own settings: give it a rule that deletes `_work/` and `_http/` after 7 days, and none that deletes `_budget/`, where spending is counted."

  validation {
    condition     = var.existing_output_bucket == null || can(regex("^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$", var.existing_output_bucket))
    error_message = "existing_output_bucket must be a bucket's name, without gs://."
  }

  validation {
    condition     = var.existing_output_bucket == null || var.existing_output_bucket != var.existing_input_bucket
    error_message = "existing_output_bucket must not be the input bucket: every sidecar is a .json and would start the function again."
  }
}

variable "allowed_buckets" {
  type        = list(string)
  default     = []
  description = "Buckets that a manifest may read images from besides its own. The function gets read access to each."

  validation {
    condition     = alltrue([for b in var.allowed_buckets : can(regex("^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$", b))])
    error_message = "allowed_buckets must be bucket names, without gs://."
  }
}

variable "allowed_prefixes" {
  type        = list(string)
  default     = []
  description = "Which folders the manifests of a folder may read: `team-a/` (its own only), `team-a/=brand/` (another one too), `=brand/` (all manifests), `team-a/=gs://pictures/a/` (of a bucket in allowed_buckets). Empty: all of their bucket."

  validation {
    condition     = alltrue([for p in var.allowed_prefixes : can(regex("^[^,=]*(=(gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]/)?[^,=:]*)?$", p)) && length(p) > 1])
    error_message = "allowed_prefixes must be folders, or folder=folder, or folder=gs://bucket/folder, without commas."
  }
}

variable "source_formats" {
  type        = list(string)
  default     = []
  description = "Picture formats that are read, of png, jpeg, webp, avif, heic and tiff. Empty: all of them."

  validation {
    condition     = length(setsubtract(var.source_formats, ["png", "jpeg", "webp", "avif", "heic", "tiff"])) == 0
    error_message = "source_formats must be of png, jpeg, webp, avif, heic and tiff."
  }
}

variable "kms_key" {
  type        = string
  default     = null
  description = "Cloud KMS key (full resource name) that encrypts the buckets and the dead letters; null leaves it to Google's keys. infra/README.md says what it does not reach. Its location must be the buckets'."

  validation {
    condition     = var.kms_key == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key))
    error_message = "kms_key must look like projects/P/locations/L/keyRings/R/cryptoKeys/K."
  }
}

variable "soft_delete_days" {
  type        = number
  default     = 7
  description = "Days for which a deleted or replaced object can be restored. 0 turns it off; Cloud Storage allows 7 to 90."

  validation {
    condition     = var.soft_delete_days == 0 || (var.soft_delete_days >= 7 && var.soft_delete_days <= 90)
    error_message = "soft_delete_days must be 0 or 7 to 90."
  }
}

variable "input_versions_days" {
  type        = number
  default     = 30
  description = "Days for which the replaced versions of manifests and images stay readable in the input bucket."

  validation {
    condition     = var.input_versions_days >= 1 && floor(var.input_versions_days) == var.input_versions_days
    error_message = "input_versions_days must be a whole number of at least 1."
  }
}

variable "input_expiry_days" {
  type        = number
  default     = null
  description = "Days after which uploads (pictures, manifests, catalogues, by their endings) are deleted from the input bucket made here; the versions go input_versions_days later, and soft delete after that. Null keeps them. Results stay; a manifest that is gone cannot be delivered again."

  validation {
    condition     = var.input_expiry_days == null || (coalesce(var.input_expiry_days, 62) >= 62 && floor(coalesce(var.input_expiry_days, 62)) == coalesce(var.input_expiry_days, 62))
    error_message = "input_expiry_days must be a whole number of at least 62, or null: an event may wait 31 days in the queue and 31 more as a dead letter, and needs its manifest and pictures then."
  }
}

variable "destroy_data" {
  type        = bool
  default     = false
  description = "Let `terraform destroy` delete buckets that still hold objects, and the secret. Set it, and apply, before tearing a trial down."

  validation {
    condition     = var.destroy_data != null
    error_message = "destroy_data must be true or false."
  }
}

# --- model ------------------------------------------------------------------------------------------------

variable "auth" {
  type        = string
  default     = "vertex"
  description = "How the model is reached: `vertex` (keyless, the function's own identity) or `api_key` (a key of the Gemini API in Secret Manager)."

  validation {
    condition     = contains(["vertex", "api_key"], var.auth)
    error_message = "auth must be \"vertex\" or \"api_key\"."
  }
}

variable "api_key_secret" {
  type        = string
  default     = null
  description = "Secret that holds the API key, when there is one already (projects/P/secrets/S); null makes an empty one. Its value never passes through Terraform."

  validation {
    condition     = var.api_key_secret == null || can(regex("^projects/[^/]+/secrets/[A-Za-z0-9_-]+$", var.api_key_secret))
    error_message = "api_key_secret must look like projects/P/secrets/S: the secret's name, never the key itself."
  }
}

variable "api_key_secret_version" {
  type        = number
  default     = 1
  description = "Version of the secret to use. A number, so that a rotation is a change one can see, review and take back."

  validation {
    condition     = var.api_key_secret_version >= 1 && floor(var.api_key_secret_version) == var.api_key_secret_version
    error_message = "api_key_secret_version must be a whole number of at least 1 (\"latest\" would change a running service unseen)."
  }
}

variable "content_credentials" {
  type        = bool
  default     = null
  description = "Deploy the library of content credentials (C2PA, 55 MB of 345): what scene, product and answer say of their origin is read, checked, and told in the sidecar. null: where results are signed. Without it such credentials are kept in the result's metadata unread, and the sidecar says so."

  validation {
    condition     = var.content_credentials != false || (var.signing_key == null && !var.make_signing_key)
    error_message = "content_credentials must not be false where results are signed: the library signs them."
  }
}

variable "make_signing_key" {
  type        = bool
  default     = false
  description = "Have gcloud make the key that signs results, once: in this project and region, in hardware (about 2.50 USD a month). Nothing is signed before signing_certificate_version is set; infra/README.md says how to come by the certificate. `terraform destroy` leaves the key."

  validation {
    condition     = var.make_signing_key != null
    error_message = "make_signing_key must be true or false."
  }
}

variable "signing_key_version" {
  type        = number
  default     = 1
  description = "With make_signing_key, the version of the key that signing_certificate_version is of: 1 until the key is rotated."

  validation {
    condition     = try(var.signing_key_version >= 1 && floor(var.signing_key_version) == var.signing_key_version, false)
    error_message = "signing_key_version must be a whole number of at least 1."
  }
}

variable "signing_key" {
  type        = string
  default     = null
  description = "Version of a Cloud KMS key (EC_SIGN_P256_SHA256 or EC_SIGN_P384_SHA384) that signs results with C2PA content credentials; null signs nothing, unless make_signing_key makes one. infra/README.md says how to come by its certificate."

  validation {
    condition     = var.signing_key == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+/cryptoKeyVersions/[0-9]+$", var.signing_key))
    error_message = "signing_key must look like projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N: the version that the certificate is of."
  }

  validation {
    condition     = var.signing_key == null || !var.make_signing_key
    error_message = "signing_key names a key that is there, make_signing_key makes one: choose."
  }
}

variable "signing_certificate_version" {
  type        = number
  default     = null
  description = "Version of the secret that holds the certificate of the signing key; null while there is none, and nothing is signed."

  validation {
    condition     = var.signing_certificate_version == null || try(var.signing_certificate_version >= 1 && floor(var.signing_certificate_version) == var.signing_certificate_version, false)
    error_message = "signing_certificate_version must be a whole number of at least 1."
  }

  validation {
    condition     = var.signing_certificate_version == null || var.signing_key != null || var.make_signing_key
    error_message = "signing_certificate_version is of a key's certificate: set signing_key or make_signing_key too."
  }
}

variable "timestamp_url" {
  type        = string
  default     = null
  description = "Time-stamp authority (RFC 3161) that tells when a result was signed, so that the signature holds after the certificate's end; null asks none. Where it does not answer, results are signed without."

  validation {
    condition     = var.timestamp_url == null || can(regex("^https?://[^/[:space:]]+[^[:space:]]*$", var.timestamp_url))
    error_message = "timestamp_url must be an http or https address."
  }
}

variable "rights_metadata" {
  type        = string
  default     = "keep"
  description = "Whether copyright, creator and licence in the metadata of scene and product stand in the result's too: keep or drop."

  validation {
    condition     = contains(["keep", "drop"], var.rights_metadata)
    error_message = "rights_metadata must be keep or drop."
  }
}

variable "model" {
  type        = string
  default     = "gemini-2.5-flash-image"
  description = "Image model that is asked first. gemini-2.5-flash-image may answer 404 to a new project and is announced to retire on 2027-03-15; fallback_models take over then."

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$", var.model))
    error_message = "model must be a model id such as gemini-2.5-flash-image."
  }
}

variable "fallback_models" {
  type        = list(string)
  default     = ["gemini-nano-banana-2.1", "gemini-3.1-flash-lite-image"]
  nullable    = false
  description = "Models asked in this order when the one before answers 404 (retired, or this project has no access). The sidecar says which one answered, and why."

  # An empty variable of the environment is an unset one, and would bring the function's own chain back.
  validation {
    condition     = length(var.fallback_models) > 0 && alltrue([for m in var.fallback_models : can(regex("^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$", m))])
    error_message = "fallback_models must be one or more model ids. To have no fallback, name the model itself: fallback_models = [\"gemini-2.5-flash-image\"]."
  }
}

variable "allowed_models" {
  type        = list(string)
  default     = []
  nullable    = false
  description = "Models that a manifest may name. Empty: those of the chain (model and fallback_models). Another one can cost several times as much."

  validation {
    condition     = alltrue([for m in var.allowed_models : can(regex("^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$", m))])
    error_message = "allowed_models must be model ids such as gemini-2.5-flash-image."
  }
}

variable "judge_model" {
  type        = string
  default     = null
  description = "Gemini text model that is asked for a second opinion on pictures that failed one check by a little, for example gemini-2.5-flash-lite (gemini-2.5-flash and -pro end on 2026-12-01 and are then answered, and billed, by others). Off when null. Its cost is in the sidecar."

  validation {
    condition     = var.judge_model == null || can(regex("^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$", var.judge_model))
    error_message = "judge_model must be a model id or null."
  }
}

variable "model_location" {
  type        = string
  default     = "global"
  description = "Vertex AI location that serves the model. `global` has the most capacity and the fewest 429s; choose a region or multi-region when pictures must be processed in one place (`global` does not say where). `gemini-nano-banana-2.1` is served by `global` only: anywhere else the function skips it, warns at start, and asks the next model of the chain. No request leaves the location that is set here."

  validation {
    condition     = can(regex("^(global|us|eu|[a-z]+(-[a-z]+)+[0-9]+)$", var.model_location))
    error_message = "model_location must be global, us, eu or a region such as europe-west4."
  }
}

variable "max_px" {
  type        = number
  default     = 768
  description = "Longest side, in pixels, of the pictures sent to the model (MAX_PX)."

  validation {
    condition     = var.max_px >= 256 && var.max_px <= 4096 && floor(var.max_px) == var.max_px
    error_message = "max_px must be a whole number from 256 to 4096."
  }
}

variable "max_attempts" {
  type        = number
  default     = 3
  description = "Pictures that one manifest may cost at the most (MAX_ATTEMPTS)."

  validation {
    condition     = var.max_attempts >= 1 && var.max_attempts <= 20 && floor(var.max_attempts) == var.max_attempts
    error_message = "max_attempts must be a whole number from 1 to 20."
  }
}

variable "max_image_size" {
  type        = string
  default     = null
  description = "Largest picture that is paid for: 1K, 2K or 4K (MAX_IMAGE_SIZE). Null: the largest that costs no more than 1K. Never more than the result needs."

  validation {
    condition     = var.max_image_size == null || contains(["1K", "2K", "4K"], coalesce(var.max_image_size, "1K"))
    error_message = "max_image_size must be \"1K\", \"2K\", \"4K\" or null."
  }
}

variable "thinking_level" {
  type        = string
  default     = "minimal"
  nullable    = false
  description = "How long a model that thinks may think (THINKING_LEVEL). Thinking is billed as text; the lowest level is the cheapest."

  validation {
    condition     = contains(["minimal", "medium", "high"], var.thinking_level)
    error_message = "thinking_level must be \"minimal\", \"medium\" or \"high\"."
  }
}

variable "identity" {
  type        = string
  default     = "auto"
  nullable    = false
  description = "Whose pixels the product has where a manifest does not say (IDENTITY): its photograph's where the model's are not verified (auto), always the model's (model), always the photograph's (exact; allow two attempts)."

  validation {
    condition     = contains(["auto", "model", "exact"], var.identity)
    error_message = "identity must be \"auto\", \"model\" or \"exact\"."
  }
}

variable "classical_fallback" {
  type        = bool
  default     = false
  nullable    = false
  description = "Where no picture of the model can be used, the photograph is laid into the scene under an estimated light, and the pair goes to review (CLASSICAL_FALLBACK)."

  validation {
    condition     = contains([true, false], var.classical_fallback)
    error_message = "classical_fallback must be true or false."
  }
}

variable "model_requests_per_minute" {
  type        = number
  default     = 60
  description = "Calls a minute that the model's quota allows this deployment. The instance limit is derived from it. It sets the pace of spending and ends none: what stops is max_usd_per_day, and paused."

  validation {
    condition     = var.model_requests_per_minute >= 1
    error_message = "model_requests_per_minute must be at least 1."
  }
}

variable "pair_seconds" {
  type        = number
  default     = 8
  description = "Shortest time, in seconds, that a pair takes: one call of the model (6 s at its quickest) and the function's own work (2 s). Too high a value overruns the quota, too low a one leaves some of it unused."

  validation {
    condition     = var.pair_seconds >= 1
    error_message = "pair_seconds must be at least 1."
  }
}

# --- money ------------------------------------------------------------------------------------------------

variable "max_usd_per_day" {
  type        = number
  default     = 25
  description = "THE FUNCTION STOPS AT 25 US DOLLARS A DAY UNLESS YOU CHANGE THIS: no model is called once a day (UTC) has cost so much, about 640 pictures of gemini-2.5-flash-image. on_budget says what becomes of the others. Null: no cap, and a mistake costs whatever the model's quota allows."

  validation {
    condition     = var.max_usd_per_day == null || coalesce(var.max_usd_per_day, 1) > 0
    error_message = "max_usd_per_day must be above 0, or null for no cap. To stop everything, set paused."
  }
}

variable "max_usd_per_catalogue" {
  type        = number
  default     = null
  description = "US dollars that one catalogue may cost; a catalogue's own budget_usd may be lower. It never refills: the rows left over are recorded as budget_exhausted. Null: no cap but the day's."

  validation {
    condition     = var.max_usd_per_catalogue == null || coalesce(var.max_usd_per_catalogue, 1) > 0
    error_message = "max_usd_per_catalogue must be above 0, or null for no cap."
  }
}

variable "on_budget" {
  type        = string
  default     = "wait"
  nullable    = false
  description = "What becomes of a pair that comes when the day's money is spent. `wait`: its event is delivered again until there is money (midnight UTC, or a higher cap), for about 16 hours; after that it is a dead letter, which `python -m function redrive` delivers again. `fail`: it is recorded as budget_exhausted."

  validation {
    condition     = contains(["wait", "fail"], var.on_budget)
    error_message = "on_budget must be \"wait\" or \"fail\"."
  }
}

variable "batch" {
  type        = bool
  default     = false
  description = "Catalogues may ask for batches (`submit --batch`): half the price, within a day or two. Makes a bucket of its own, its trigger and a scheduler that looks after the jobs."

  validation {
    condition     = var.batch != null
    error_message = "batch must be true or false."
  }
}

variable "paused" {
  type        = bool
  default     = false
  description = "The switch: `terraform apply -var paused=true` stops deliveries, and the HTTP function, within a few minutes and loses nothing; without it the next apply starts them again. An event waits in the queue for about 16 hours (100 deliveries, those before the pause counted), then as a dead letter, which `python -m function redrive` delivers again. With use_gcloud off there are no dead letters and an event is dropped after 24 hours; redrive finds those by the buckets. `python -m function pause gs://INPUT` does the same at once, and `resume` undoes it."

  validation {
    condition     = var.paused != null
    error_message = "paused must be true or false."
  }
}

# --- function ---------------------------------------------------------------------------------------------

variable "concurrency" {
  type        = number
  default     = 4
  description = "Pairs that one instance works on at once (THREADS). Most of a pair's time is waiting for the model."

  validation {
    condition     = var.concurrency >= 1 && var.concurrency <= 80 && floor(var.concurrency) == var.concurrency
    error_message = "concurrency must be a whole number from 1 to 80."
  }
}

variable "cpu" {
  type        = number
  default     = 2
  description = "vCPUs of an instance. Registration and restoration are what they are for."

  validation {
    condition     = contains([1, 2, 4, 6, 8], var.cpu)
    error_message = "cpu must be 1, 2, 4, 6 or 8: below 1 an instance takes one request at a time only."
  }
}

variable "memory_gib" {
  type        = number
  default     = 4
  description = "Memory of an instance in GiB. Eight pairs of 60-megapixel scenes at once take 1.4 GiB at their peak (measured)."

  validation {
    condition     = floor(var.memory_gib) == var.memory_gib
    error_message = "memory_gib must be a whole number."
  }

  validation {
    condition = (
      var.memory_gib >= lookup({ 1 = 1, 2 = 1, 4 = 2, 6 = 4, 8 = 4 }, var.cpu, 1) &&
      var.memory_gib <= lookup({ 1 = 4, 2 = 8, 4 = 16, 6 = 24, 8 = 32 }, var.cpu, 32)
    )
    error_message = "memory_gib must suit cpu, as Cloud Run has it: 1 vCPU to 4 GiB, 2 to 8, 4 from 2 to 16, 6 from 4 to 24, 8 from 4 to 32."
  }
}

variable "min_instances" {
  type        = number
  default     = 0
  description = "Instances kept warm. 0 costs nothing at rest; a cold start adds about two seconds to a pair that takes ten."

  validation {
    condition     = var.min_instances >= 0 && floor(var.min_instances) == var.min_instances
    error_message = "min_instances must be a whole number of at least 0."
  }
}

variable "event_deadline_seconds" {
  type        = number
  default     = 300
  description = "Budget for everything that one event does (EVENT_DEADLINE_S)."

  validation {
    condition     = var.event_deadline_seconds >= 30 && var.event_deadline_seconds <= 480
    error_message = "event_deadline_seconds must be 30 to 480: an event-driven function is cut off at 540, and the record of a failure must still be written."
  }
}

variable "event_max_age_seconds" {
  type        = number
  default     = 3600
  description = "Seconds after its first delivery past which a passing fault becomes a recorded failure (EVENT_MAX_AGE_S)."

  validation {
    condition     = var.event_max_age_seconds >= 600 && var.event_max_age_seconds <= 43200
    error_message = "event_max_age_seconds must be 600 to 43200: images are waited for during ten minutes, and the queue carries an event for about 16 hours."
  }
}

variable "http_invokers" {
  type        = list(string)
  default     = []
  description = "Who may call the synchronous HTTP function (serviceAccount:…, group:…, user:…). Empty: it is not deployed."

  validation {
    condition     = alltrue([for m in var.http_invokers : can(regex("^(serviceAccount|user|group|domain|principal|principalSet):.+", m))])
    error_message = "http_invokers must be IAM members with a prefix. allUsers and allAuthenticatedUsers are refused: every call costs money."
  }
}

variable "http_ingress" {
  type        = string
  default     = "ALLOW_INTERNAL_ONLY"
  description = "Where the HTTP function may be called from: ALLOW_INTERNAL_ONLY, ALLOW_INTERNAL_AND_GCLB or ALLOW_ALL (callers must be authenticated in any case)."

  validation {
    condition     = contains(["ALLOW_INTERNAL_ONLY", "ALLOW_INTERNAL_AND_GCLB", "ALLOW_ALL"], var.http_ingress)
    error_message = "http_ingress must be ALLOW_INTERNAL_ONLY, ALLOW_INTERNAL_AND_GCLB or ALLOW_ALL."
  }
}

# --- watching ---------------------------------------------------------------------------------------------

variable "alert_emails" {
  type        = list(string)
  default     = []
  description = "Addresses that alerts are sent to."

  validation {
    condition     = alltrue([for a in var.alert_emails : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", a))])
    error_message = "alert_emails must be e-mail addresses."
  }
}

variable "notification_channels" {
  type        = list(string)
  default     = []
  description = "Notification channels that exist already (projects/P/notificationChannels/N): chat, pager, webhook."

  validation {
    condition     = alltrue([for c in var.notification_channels : can(regex("^projects/[^/]+/notificationChannels/[0-9]+$", c))])
    error_message = "notification_channels must look like projects/P/notificationChannels/N."
  }
}

variable "alert_failures_per_hour" {
  type        = number
  default     = 5
  description = "Failed pairs within an hour that raise an alert."

  validation {
    condition     = var.alert_failures_per_hour >= 1
    error_message = "alert_failures_per_hour must be at least 1."
  }
}

variable "alert_failed_share" {
  type        = number
  default     = 0.1
  description = "Share of an hour's settled pairs that must have failed, besides alert_failures_per_hour, to raise an alert: in a large catalogue a few always do."

  validation {
    condition     = var.alert_failed_share >= 0 && var.alert_failed_share < 1
    error_message = "alert_failed_share must be at least 0 and below 1."
  }
}

variable "alert_put_off_share" {
  type        = number
  default     = 0.5
  description = "Share of the model's calls that must be answered 429 within half an hour to raise an alert. Each call is tried again, so some are ordinary."

  validation {
    condition     = var.alert_put_off_share > 0 && var.alert_put_off_share < 1
    error_message = "alert_put_off_share must be between 0 and 1."
  }
}

variable "alert_usd_per_hour" {
  type        = number
  default     = null
  description = "US dollars spent on the model within an hour that raise an alert. It only warns; max_usd_per_day stops. Null: 80 % of max_usd_per_day (20 by default), or 20 where that is not set."

  validation {
    condition     = var.alert_usd_per_hour == null || coalesce(var.alert_usd_per_hour, 1) > 0
    error_message = "alert_usd_per_hour must be above 0, or null."
  }
}

variable "alert_usd_per_pair" {
  type        = number
  default     = null
  description = "US dollars that a settled pair may cost on the mean of an hour before an alert is raised. Null: two and a half pictures of the dearest model in the chain."

  validation {
    condition     = var.alert_usd_per_pair == null || coalesce(var.alert_usd_per_pair, 1) > 0
    error_message = "alert_usd_per_pair must be above 0, or null."
  }
}

variable "billing_account" {
  type        = string
  default     = null
  description = "Billing account of the project (XXXXXX-XXXXXX-XXXXXX); given, a monthly budget is made."

  validation {
    condition     = var.billing_account == null || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.billing_account))
    error_message = "billing_account must look like 012345-6789AB-CDEF01."
  }
}

variable "monthly_budget" {
  type        = number
  default     = 850
  description = "Budget a month for the whole project, in the billing account's currency. It only warns, some hours late, and stops nothing: max_usd_per_day does. The default is 31 days at that cap's default (775) and the platform's part."

  validation {
    condition     = var.monthly_budget >= 1 && floor(var.monthly_budget) == var.monthly_budget
    error_message = "monthly_budget must be a whole number of at least 1."
  }
}

variable "notify_results" {
  type        = bool
  default     = false
  description = "Make a Pub/Sub topic that is told of every sidecar and result, and a subscription to it that leaves out working records."

  validation {
    condition     = var.notify_results != null
    error_message = "notify_results must be true or false."
  }
}
