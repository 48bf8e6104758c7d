"""Two versions of the prompts over recorded answers: which pictures pass, and what they cost.

    python -m tests.bench.prompts 3 draft.json --pairs FOLDER --answers FOLDER [--record]

A version is one of the package, or a file in its form. `--pairs` holds manifests with their images (and styles), as
`submit` takes them. An answer is recorded under the digest of all that was sent; `--record` asks the model of this
environment (GEMINI_API_KEY or Vertex AI; GOOGLE_GEMINI_BASE_URL for the emulator) for those that are missing, at its
price, and keeps them. Without it nothing is sent, and pairs with a missing answer count for neither version.

Pairs are judged as the function judges them, without restoring them, with the same seeds for both versions: so the
pairs that only one of them has accepted tell them apart. The p value is that of an exact sign test over those.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from function.deadline import Deadline
from function.errors import CompositeError, ModelNoImageError, ModelRefusedError
from function.generation.answer_store import request_digest
from function.generation.gemini.client import GeminiClient
from function.generation.model_chain import ModelChain
from function.generation.models import model_table
from function.generation.paid_calls import Answered
from function.generation.pricing import Usage
from function.generation.prompt import Wording
from function.generation.prompt_templates import FOLDER, PromptTemplates, read_templates
from function.generation.provider import Answer, ImageProvider, Request
from function.manifest.model import Manifest
from function.manifest.parse import parse_manifest
from function.pipeline.attempts import check_records, choose_candidate
from function.pipeline.context import PairContext
from function.pipeline.decode import decode_sources
from function.pipeline.fetch import Source
from function.pipeline.generate_scene import generate_scene
from function.pipeline.memory_budget import MemoryBudget
from function.pipeline.prepare import prepare_inputs
from function.pipeline.record import RunRecord
from function.pipeline.resources import PairResources
from function.pipeline.style import read_style
from function.settings import Settings
from function.tools.cli.folder_documents import documents_in
from function.tools.cli.style import find_style_file
from function.tools.cli.terminal import limits_here
from function.tools.explain import UsageError

PAIR_S = 600.0


class NotRecordedError(Exception):
    """A request whose answer is not in the folder."""


class RecordedAnswers:
    """Answers by what was asked, in a folder: DIGEST.json, and beside it the picture. `model` is asked for missing
    ones; None: nobody is."""

    def __init__(self, folder: Path, model: ImageProvider | None):
        self._folder, self._model = folder, model
        self.asked = 0

    def ask(self, request: Request, number: int, max_calls: int) -> Answered:
        """As `PaidCalls.ask`. Raises NotRecordedError, and what the model raises."""
        digest = request_digest(request)
        fields, image = self._folder / f"{digest}.json", self._folder / f"{digest}.picture"
        if not fields.is_file():
            if self._model is None:
                raise NotRecordedError(digest)
            self.asked += 1
            self._keep(self._model.generate(request, Deadline(PAIR_S)), fields, image)
        stored = json.loads(fields.read_text(encoding="utf-8"))
        usage = Usage(**stored.pop("usage"))
        return Answered(Answer(**stored, usage=usage, image=image.read_bytes()), False, True, f"file:{image.name}")

    def _keep(self, answer: Answer, fields: Path, image: Path) -> None:
        stored = {name: value for name, value in asdict(answer).items() if name not in {"image", "usage"}}
        self._folder.mkdir(parents=True, exist_ok=True)
        image.write_bytes(answer.image)
        fields.write_text(json.dumps(stored | {"usage": answer.usage.model_dump()}), encoding="utf-8")


@dataclass
class Tally:
    """What one version came to. `accepted` holds the names of pairs."""

    templates: PromptTemplates
    accepted: set[str] = field(default_factory=set)
    outcomes: Counter[str] = field(default_factory=Counter)
    failed_checks: Counter[str] = field(default_factory=Counter)  # of the pictures that were chosen
    pictures: int = 0
    usd: float = 0.0

    def lines(self) -> Iterator[str]:
        """For people."""
        pairs = self.outcomes.total()
        each = f"{self.pictures / len(self.accepted):.2f}" if self.accepted else "no"
        yield (
            f"{self.templates.version}: {len(self.accepted)} of {pairs} pairs accepted, {self.outcomes['review']} to "
            f"review, {self.outcomes['failed']} failed; {self.pictures} pictures ({each} for each that was accepted), "
            f"${self.usd:.4f}, {len(self.templates.composite.split())} words to place a product"
        )
        for check, count in self.failed_checks.most_common():
            yield f"  {check} failed in {count}"


def compare(
    versions: list[PromptTemplates], pairs: list[Path], answers: RecordedAnswers, settings: Settings
) -> tuple[list[Tally], list[str]]:
    """Both over the same pairs → what each came to, and the pairs that lack an answer for one of them."""
    tallies, missing = [Tally(one) for one in versions], []
    for path in pairs:
        try:
            done = [_run(path, templates, answers, settings) for templates in versions]
        except NotRecordedError:
            missing.append(path.name)
            continue
        for tally, (status, record) in zip(tallies, done, strict=True):
            tally.outcomes[status] += 1
            tally.accepted |= {str(path)} if status == "accepted" else set()
            tally.pictures += len(record.attempts)
            tally.usd += sum(attempt.usd or 0.0 for attempt in record.attempts)
            tally.failed_checks.update(name for name, check in record.checks.items() if not check.passed)
    return tallies, missing


def sign_test(only_first: int, only_second: int) -> float:
    """Two-sided p of a split at least as uneven, were both versions as good."""
    total, fewer = only_first + only_second, min(only_first, only_second)
    return min(1.0, 2 * sum(math.comb(total, number) for number in range(fewer + 1)) / 2**total)


def _run(path: Path, templates: PromptTemplates, answers: RecordedAnswers, settings: Settings) -> tuple[str, RunRecord]:
    """One pair up to the choice of its picture → its status, and what was noted."""
    manifest, wording = _styled(parse_manifest(path.read_bytes(), settings), path.parent, templates)
    deadline, record = Deadline(PAIR_S), RunRecord()
    sources = {
        name: Source(reference, None, (path.parent / reference.lstrip("/")).read_bytes())
        for name, reference in manifest.references.items()
    }
    with PairResources(MemoryBudget.of_process(), deadline) as resources:
        models = ModelChain(settings.model_chain, None)
        pair = PairContext(manifest, sources, answers, settings, deadline, record, resources, models, wording=wording)
        pair.model = model_table().find(pair.requested_model)
        record.use_model(pair.model, pair.requested_model, [])
        try:
            for step in (generate_scene, decode_sources, prepare_inputs, choose_candidate):
                step(pair)
        except (ModelRefusedError, ModelNoImageError):
            return "failed", record
        finally:
            if pair.decoded is not None:
                pair.decoded.scene.join()
    record.checks = check_records(pair.best.judgement.checks)
    return ("accepted" if pair.best.judgement.verdict == "accepted" else "review"), record


def _styled(manifest: Manifest, folder: Path, templates: PromptTemplates) -> tuple[Manifest, Wording]:
    if manifest.style is None:
        return manifest, Wording(templates)
    path = find_style_file(folder, manifest.style)
    style = read_style(path.read_bytes(), str(path))
    return style.fill(manifest), Wording(templates, style.words)


def _version(said: str) -> PromptTemplates:
    return read_templates(FOLDER / f"{said}.json" if (FOLDER / f"{said}.json").is_file() else Path(said))


def main() -> int:
    """Print the comparison. 0; 1 where no pair has answers for both; 2 where something cannot be read."""
    parser = argparse.ArgumentParser("python -m tests.bench.prompts", description=__doc__.split("\n\n")[0])
    parser.add_argument("versions", nargs=2, metavar="VERSION-OR-FILE")
    parser.add_argument("--pairs", type=Path, required=True, help="a folder of manifests with their images")
    parser.add_argument("--answers", type=Path, required=True, help="a folder of recorded answers")
    parser.add_argument("--record", action="store_true", help="ask the model for missing answers, at its price")
    options = parser.parse_args()
    try:
        settings = limits_here()
        versions = [_version(said) for said in options.versions]
        model = _model() if options.record else None
        paths = [path for path in documents_in(options.pairs)[1] if path.suffix.lower() == ".json"]
        answers = RecordedAnswers(options.answers, model)
        with contextlib.redirect_stdout(io.StringIO()):  # the function's log
            tallies, missing = compare(versions, paths, answers, settings)
    except (CompositeError, UsageError, OSError, KeyError, TypeError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.record:
        print(f"{answers.asked} answers were asked for and recorded in {options.answers}")
    if missing:
        print(f"{len(missing)} pairs have no recorded answer for one of the versions: {', '.join(missing[:5])}")
    if not tallies[0].outcomes:
        return 1
    for tally in tallies:
        print("\n".join(tally.lines()))
    first, second = (tally.accepted for tally in tallies)
    only_first, only_second = len(first - second), len(second - first)
    names = [tally.templates.version for tally in tallies]
    print(f"accepted by {names[0]} alone: {only_first}; by {names[1]} alone: {only_second}; "
          f"p = {sign_test(only_first, only_second):.3f}")  # fmt: skip
    return 0


def _model() -> GeminiClient:
    settings = Settings.from_environment({"OUTPUT_BUCKET": "unused", **_environment()})
    return GeminiClient(
        api_key=settings.api_key, vertexai=settings.use_vertexai, project=settings.project,
        location=settings.location, api_version=settings.gemini_api_version,
    )  # fmt: skip


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(("GEMINI_", "GOOGLE_"))}


if __name__ == "__main__":
    sys.exit(main())
