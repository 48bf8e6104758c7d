"""The environment as one frozen object; every bad value is named in one error."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from function.budget.caps import Caps
from function.generation.image_size import ImageSize
from function.generation.model_chain import not_served
from function.generation.models import model_table
from function.imaging.formats import FORMATS, ReadFormat
from function.storage.names import BUCKET_NAME
from function.storage.read_rules import ReadRule, parse_rule

DEFAULT_MODEL = "gemini-2.5-flash-image"
# Which stand in where the default is closed to a project, the nearest in kind and price first.
DEFAULT_FALLBACK_MODELS = ("gemini-nano-banana-2.1", "gemini-3.1-flash-lite-image")
USE_VERTEXAI = "GOOGLE_GENAI_USE_VERTEXAI"
API_KEYS = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
MAX_CAP_USD = 1_000_000.0  # more is a slip of the keyboard
TEST_SIGNER = "test"  # a key and a certificate that the process makes for itself, and that no reader trusts
SIGNING_LIBRARY = "c2pa"
PEM = "-----BEGIN"
KMS_KEY_VERSION = re.compile(r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+/cryptoKeyVersions/[0-9]+")
MIN_SENSIBLE_MAX_PX = 512  # below this, labels are not legible to the model (measured on the shipped pairs)


class InvalidSettingsError(Exception):
    """One or more environment variables have a value that cannot be used; the message names them all."""


def _list(value: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",") if name.strip())


def _names(value: object) -> object:
    return _list(value) if isinstance(value, str) else value


def _lower_names(value: object) -> object:
    return _names(value.lower() if isinstance(value, str) else value)


def _rules(value: object) -> object:
    return tuple(map(parse_rule, _list(value))) if isinstance(value, str) else value


def _strip(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _none(value: object) -> object:
    value = _strip(value)
    return None if value == "none" else value


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


FRAMEWORK_THREADS = 4 * (os.cpu_count() or 1)  # what functions-framework begins without a word about it
Identity = Literal["auto", "model", "exact"]
Text = Annotated[str, BeforeValidator(_strip)]
# Pydantic's words in any case, with or without blanks around them: true, t, 1, yes, y, on; false, f, 0, no, n, off.
Flag = Annotated[bool, BeforeValidator(_strip)]
MODEL_NAME = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$"
ModelNames = Annotated[tuple[Annotated[str, Field(pattern=MODEL_NAME)], ...], BeforeValidator(_names)]


class Settings(BaseModel):
    """What the environment says. Field aliases are the environment's names; times are in seconds."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, extra="ignore")

    output_bucket: Annotated[Text, Field(alias="OUTPUT_BUCKET", pattern=BUCKET_NAME)]
    allowed_buckets: Annotated[tuple[Annotated[str, Field(pattern=BUCKET_NAME)], ...], BeforeValidator(_names)] = Field(
        (), alias="ALLOWED_BUCKETS"
    )
    allowed_prefixes: Annotated[tuple[ReadRule, ...], BeforeValidator(_rules)] = Field((), alias="ALLOWED_PREFIXES")
    gemini_api_key: Text | None = Field(None, alias="GEMINI_API_KEY", repr=False)
    google_api_key: Text | None = Field(None, alias="GOOGLE_API_KEY", repr=False)
    use_vertexai: Flag = Field(False, alias=USE_VERTEXAI)
    project: Text | None = Field(None, alias="GOOGLE_CLOUD_PROJECT")
    location: Text = Field("global", alias="GOOGLE_CLOUD_LOCATION")
    gemini_model: Annotated[Text, Field(pattern=MODEL_NAME)] = Field(DEFAULT_MODEL, alias="GEMINI_MODEL")
    gemini_fallback_models: ModelNames = Field(DEFAULT_FALLBACK_MODELS, alias="GEMINI_FALLBACK_MODEL")
    allowed_models: ModelNames = Field((), alias="ALLOWED_MODELS")
    max_image_size: Annotated[ImageSize | None, BeforeValidator(_upper)] = Field(None, alias="MAX_IMAGE_SIZE")
    thinking_level: Annotated[Literal["minimal", "medium", "high"], BeforeValidator(_lower)] = Field(
        "minimal", alias="THINKING_LEVEL"
    )
    gemini_api_version: Annotated[Text, Field(pattern=r"^v[0-9]+(alpha|beta)?[0-9]*$")] | None = Field(
        None, alias="GEMINI_API_VERSION"
    )
    max_usd_per_day: float | None = Field(None, alias="MAX_USD_PER_DAY", ge=0, le=MAX_CAP_USD)
    max_usd_per_catalogue: float | None = Field(None, alias="MAX_USD_PER_CATALOGUE", ge=0, le=MAX_CAP_USD)
    on_budget: Annotated[Literal["wait", "fail"], BeforeValidator(_lower)] = Field("wait", alias="ON_BUDGET")
    judge_model: Annotated[Text, Field(pattern=MODEL_NAME)] | None = Field(None, alias="JUDGE_MODEL")
    identity: Annotated[Identity, BeforeValidator(_lower)] = Field("auto", alias="IDENTITY")
    classical_fallback: Flag = Field(False, alias="CLASSICAL_FALLBACK")
    max_px: int = Field(768, alias="MAX_PX", ge=256, le=4096)
    max_attempts: int = Field(3, alias="MAX_ATTEMPTS", ge=1, le=20)
    max_source_bytes: int = Field(50 * 2**20, alias="MAX_SOURCE_BYTES", ge=1)
    max_source_pixels: int = Field(64_000_000, alias="MAX_SOURCE_PIXELS", ge=1)
    source_formats: Annotated[tuple[ReadFormat, ...], BeforeValidator(_lower_names)] = Field(
        tuple(FORMATS), alias="SOURCE_FORMATS", min_length=1
    )
    batch_bucket: Annotated[Text, Field(pattern=BUCKET_NAME)] | None = Field(None, alias="BATCH_BUCKET")
    batch_gather_s: float = Field(300, alias="BATCH_GATHER_S", gt=0, le=86_400)
    signing_key: Annotated[str | None, BeforeValidator(_none)] = Field(None, alias="SIGNING_KEY")
    signing_certificate: Text | None = Field(None, alias="SIGNING_CERTIFICATE")
    timestamp_url: Annotated[Text, Field(pattern=r"^https?://[^/\s]+\S*$")] | None = Field(None, alias="TIMESTAMP_URL")
    kms_emulator_host: Text | None = Field(None, alias="KMS_EMULATOR_HOST")
    rights_metadata: Annotated[Literal["keep", "drop"], BeforeValidator(_lower)] = Field(
        "keep", alias="RIGHTS_METADATA"
    )
    body_timeout_s: float = Field(30, alias="BODY_TIMEOUT_S", gt=0, le=3600)
    threads: int = Field(FRAMEWORK_THREADS, alias="THREADS", ge=1)
    event_deadline_s: float = Field(300, alias="EVENT_DEADLINE_S", gt=0, le=3600)
    event_max_age_s: float = Field(3600, alias="EVENT_MAX_AGE_S", gt=0)

    @property
    def api_key(self) -> str | None:
        """The key of the Gemini API; GOOGLE_API_KEY wins, as in the SDK."""
        return self.google_api_key or self.gemini_api_key

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read and check the environment. Raises InvalidSettingsError, naming every bad value at once."""
        source = os.environ if environment is None else environment
        names = [field.alias for field in cls.model_fields.values()]
        given = {name: source[name] for name in names if name and source.get(name, "").strip()}
        problems = []
        try:
            settings = cls.model_validate(given)
        except ValidationError as error:
            problems = [_problem(item["loc"][0], item["msg"], given) for item in error.errors()]
        problems += _credential_problems(given)
        if not problems:
            problems = settings.location_problems() + settings.bucket_problems() + settings.signing_problems()
        if problems:
            raise InvalidSettingsError("cannot start, the environment is invalid: " + "; ".join(problems))
        return settings

    def warnings(self, today: date) -> list[str]:
        """What is allowed, but worth a line in the log."""
        said = []
        if self.max_px < MIN_SENSIBLE_MAX_PX:
            said.append(f"MAX_PX is {self.max_px}: below {MIN_SENSIBLE_MAX_PX} px the model cannot read small labels")
        said += [f"{name} is passed over: {not_served(name, self.location)}" for name in self._not_served()]
        judges = [self.judge_model] if self.judge_model else []
        return said + model_table().retirement_warnings([*self.model_chain, *judges], today)

    def location_problems(self) -> list[str]:
        """A sentence when the location serves none of the chain."""
        chain = self.model_chain
        if len(self._not_served()) < len(chain):
            return []
        return [f"GOOGLE_CLOUD_LOCATION={self.location!r} serves none of {', '.join(chain)}; use global"]

    def bucket_problems(self) -> list[str]:
        """A sentence for results that could be read as sources, and one for each bucket that only a rule names."""
        named = sorted({rule.bucket for rule in self.allowed_prefixes if rule.bucket} - {*self.allowed_buckets})
        problems = [f"ALLOWED_PREFIXES names the bucket {name}, which is not in ALLOWED_BUCKETS" for name in named]
        if self.output_bucket in self.allowed_buckets:
            problems.append(
                f"ALLOWED_BUCKETS holds the output bucket {self.output_bucket}: results would become sources"
            )
        if self.batch_bucket and self.batch_bucket in (self.output_bucket, *self.allowed_buckets):
            problems.append(f"BATCH_BUCKET={self.batch_bucket!r} must be a separate bucket: batch results arrive there")
        return problems

    def signing_problems(self) -> list[str]:
        """A sentence where there is a key without its certificate or without the library, or no such file."""
        problems = []
        if self.signing_key is not None and importlib.util.find_spec(SIGNING_LIBRARY) is None:
            problems = [f"SIGNING_KEY is set, but {SIGNING_LIBRARY}-python, which signs, is not installed"]
        if self.signing_key in (None, TEST_SIGNER):
            unused = self.signing_certificate is not None
            return [*problems, *(["SIGNING_CERTIFICATE is set, but SIGNING_KEY does not use it"] if unused else [])]
        if not KMS_KEY_VERSION.fullmatch(self.signing_key) and not Path(self.signing_key).is_file():
            problems.append(f"SIGNING_KEY={self.signing_key!r} is neither a file nor a key version of Cloud KMS")
        if self.signing_certificate is None:
            problems.append("SIGNING_CERTIFICATE is not set (the certificate of SIGNING_KEY)")
        elif not self.signing_certificate.startswith(PEM) and not Path(self.signing_certificate).is_file():
            problems.append(f"SIGNING_CERTIFICATE={self.signing_certificate!r} is neither PEM nor a file")
        return problems

    def _not_served(self) -> list[str]:
        return [name for name in self.model_chain if not model_table().find(name).is_served_in(self.model_location)]

    @property
    def caps(self) -> Caps:
        """What may be spent."""
        return Caps(self.max_usd_per_day, self.max_usd_per_catalogue, self.on_budget == "wait")

    @property
    def model_chain(self) -> tuple[str, ...]:
        """The models to ask, in order, each once."""
        return tuple(dict.fromkeys((self.gemini_model, *self.gemini_fallback_models)))

    @property
    def manifest_models(self) -> tuple[str, ...]:
        """The models that a manifest may name."""
        return self.allowed_models or self.model_chain

    @property
    def model_location(self) -> str | None:
        """The location of Vertex AI that models are called in; None for the Gemini API."""
        return self.location if self.use_vertexai else None


def _problem(name: object, message: str, given: Mapping[str, str]) -> str:
    if name not in given:
        return f"{name} is not set (the bucket that results go to)"
    return f"{name}={given[str(name)]!r}: {message}"


def _credential_problems(given: Mapping[str, str]) -> list[str]:
    try:
        vertex = TypeAdapter(Flag).validate_python(given.get(USE_VERTEXAI, False))
    except ValidationError:
        return []  # named already, and what else is needed depends on it
    if vertex and "GOOGLE_CLOUD_PROJECT" not in given:
        return [f"GOOGLE_CLOUD_PROJECT is not set ({USE_VERTEXAI} needs it)"]
    if not vertex and not given.keys() & set(API_KEYS):
        return [f"neither GEMINI_API_KEY nor {USE_VERTEXAI}=true is set (how the model is reached)"]
    return []
