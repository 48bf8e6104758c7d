"""The steps of one pair, in order: sources → prepared → generated and judged → restored → encoded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from function.deadline import Deadline
from function.errors import ModelNoImage
from function.generation.gemini.client import ModelGone, Request
from function.generation.models import ImageModel, model_table
from function.generation.paid_calls import PaidCalls
from function.generation.prompt import scene_prompt
from function.imaging.decode import inspect
from function.imaging.frame import nearest_ratio
from function.manifest.parse import Manifest, ScenePrompt
from function.pipeline.attempts import NOT_A_PICTURE, Candidate, ask, best_candidate, no_picture
from function.pipeline.fetch import Source
from function.pipeline.finish import Composite, finish
from function.pipeline.prepare import Decoded, Prepared, decode_sources, prepare, seed_from
from function.pipeline.record import RunRecord
from function.settings import Settings
from function.sidecar import ModelRecord

GENERATED_SCENE_SHAPE = (4, 3)  # of a scene made from text when no output size is asked for


def run_pair(
    manifest: Manifest,
    sources: dict[str, Source],
    calls: PaidCalls,
    settings: Settings,
    deadline: Deadline,
    record: RunRecord,
) -> Composite:
    """One pair from its sources, which are taken out of their dict once they are decoded, to an encoded picture.

    Raises CompositeError; `record` gathers what the sidecar says, and so tells how far it got.
    """
    requested = manifest.model or settings.gemini_model
    fallback = settings.gemini_fallback_model
    with _Pair(manifest, sources, calls, settings, deadline, record) as pair:
        try:
            best, prepared = pair.generate(requested, requested)
        except ModelGone:
            if not fallback or fallback == requested:
                raise
            best, prepared = pair.generate(fallback, requested)
        return finish(best, prepared, manifest, deadline, record)


class _Pair:
    """What the steps up to the chosen picture share. A context manager: holds pixels until its exit."""

    def __init__(
        self,
        manifest: Manifest,
        sources: dict[str, Source],
        calls: PaidCalls,
        settings: Settings,
        deadline: Deadline,
        record: RunRecord,
    ):
        self._manifest, self._sources, self._calls = manifest, sources, calls
        self._settings, self._deadline, self._record = settings, deadline, record
        self._max_px = manifest.max_px or settings.max_px
        self._most_attempts = manifest.attempts or settings.max_attempts
        # A scene generated from text counts as one picture more.
        self._most_calls = self._most_attempts + (1 if isinstance(manifest.scene, ScenePrompt) else 0)
        self._decoded: Decoded | None = None
        self._meanwhile = ThreadPoolExecutor(max_workers=1)  # what is done while the model is thinking

    def __enter__(self) -> _Pair:
        return self

    def __exit__(self, *_: object) -> None:
        self._meanwhile.shutdown(cancel_futures=True)
        if self._decoded is not None:
            self._decoded.scene.release()

    def generate(self, model_id: str, requested: str) -> tuple[Candidate, Prepared]:
        """Prepare for one model, ask it, choose. Raises ModelGone when it does not exist."""
        record, model = self._record, model_table().find(model_id)
        record.image_model = model
        record.model = ModelRecord(id=model_id, requested_id=requested)
        if self._decoded is None and isinstance(self._manifest.scene, ScenePrompt) and "scene" not in self._sources:
            self._sources = {**self._sources, "scene": self._scene_from_text(self._manifest.scene.prompt, model)}
        with record.stage("prepare"):
            decoded = self._decode()
            prepared = prepare(decoded, self._manifest, model, self._max_px, self._settings, self._meanwhile, record)
        decoded.scene.decode_on(self._meanwhile, self._deadline)
        best = best_candidate(
            model,
            prepared,
            self._manifest.placement,
            self._calls,
            self._most_attempts,
            self._most_calls,
            self._settings.judge_model,
            self._deadline,
            record,
        )
        return best, prepared

    def _decode(self) -> Decoded:
        if self._decoded is None:
            try:
                self._decoded = decode_sources(
                    self._sources, self._max_px, self._settings, self._deadline, self._record
                )
            except NOT_A_PICTURE as error:
                if isinstance(self._manifest.scene, ScenePrompt) and error.message.startswith("scene"):
                    raise ModelNoImage(f"the scene that the model generated is damaged: {error.message}") from None
                raise
            # Files of up to 50 MiB each, of eight pairs that wait for the model.
            self._sources.clear()
        return self._decoded

    def _scene_from_text(self, prompt: str, model: ImageModel) -> Source:
        """A scene generated from words. Raises ModelRefused, ModelNoImage when there is none."""
        product = self._sources["product"].content
        inspect(product, "product", max_pixels=self._settings.max_source_pixels)  # before the scene is paid for
        output, seed = self._manifest.output, self._manifest.seed
        shape = (output.width, output.height) if output.width and output.height else GENERATED_SCENE_SHAPE
        request = Request(
            model=model.id,
            prompt=scene_prompt(prompt),
            images=(),
            aspect_ratio=nearest_ratio(shape, model.native_sizes),
            image_size=model.image_size,
            seed=seed_from(prompt.encode()) if seed is None else seed,
        )
        answered = ask(request, 0, self._calls, self._most_calls, self._record)
        if answered.answer.outcome != "image":
            raise no_picture(answered)
        return Source(answered.uri, None, answered.answer.image)
