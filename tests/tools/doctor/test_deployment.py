"""`--deployed`: the environment that gcloud tells, by a gcloud of the test's own."""

import json
import re
import sys
from pathlib import Path

import pytest

from function.tools.doctor.deployment import DEFAULT_NAME, DEFAULT_REGION
from tests.support import KEY

pytestmark = pytest.mark.exhaustive  # what the other files of this folder show once is in the first tier

VARIABLES = Path(__file__).parents[3] / "infra" / "variables.tf"
GCLOUD = """\
#!{python}
import json, pathlib, sys
here = pathlib.Path(__file__).parent
with (here / "asked.txt").open("a") as asked:
    print(json.dumps(sys.argv[1:]), file=asked)
answer = json.loads((here / "answers.json").read_text()).get(" ".join(sys.argv[1:3]))
if answer is None:
    sys.exit("ERROR: (gcloud) You do not currently have an active account selected.")
print(answer)
"""
TERRAFORM = """\
#!{python}
import sys
assert sys.argv[2:] == ["output", "-raw", "function"] and sys.argv[1].startswith("-chdir=")
print("projects/shop-project/locations/europe-west4/functions/spring", end="")
"""


class Gcloud:
    """A gcloud in a folder of PATH: what it answers, and what it was asked."""

    def __init__(self, folder):
        self._folder = folder
        self._answers = {}
        self._install("gcloud", GCLOUD)

    def _install(self, name, text):
        path = self._folder / name
        path.write_text(text.replace("{python}", sys.executable))
        path.chmod(0o755)

    def install_terraform(self):
        self._install("terraform", TERRAFORM)

    def answers(self, command, text):
        self._answers[command] = text
        (self._folder / "answers.json").write_text(json.dumps(self._answers))

    def asked(self):
        return [json.loads(line) for line in (self._folder / "asked.txt").read_text().splitlines()]


@pytest.fixture
def gcloud(programs):
    return Gcloud(programs)


def described(cloud, *, service=None, **changes):
    """What `gcloud functions describe --gen2 --format=json` prints, as the API's reference has it."""
    environment = {
        "OUTPUT_BUCKET": cloud.output,
        "MAX_USD_PER_DAY": "40",
        "GOOGLE_CLOUD_PROJECT": "shop-project",
        "GOOGLE_GENAI_USE_VERTEXAI": "false",
        "GEMINI_MODEL": "gemini-3.1-flash-lite-image",
        "LOG_EXECUTION_ID": "true",
    }
    secret = {
        "key": "GEMINI_API_KEY",
        "projectId": "shop-project",
        "secret": "composite-gemini-api-key",
        "version": "3",
    }
    return json.dumps(
        {
            "buildConfig": {"entryPoint": "composite", "runtime": "python313"},
            "environment": "GEN_2",
            "eventTrigger": {
                "eventFilters": [{"attribute": "bucket", "value": cloud.input}],
                "eventType": "google.cloud.storage.object.v1.finalized",
                "retryPolicy": "RETRY_POLICY_RETRY",
                "serviceAccountEmail": "composite-trigger@shop-project.iam.gserviceaccount.com",
            },
            "name": "projects/shop-project/locations/us-central1/functions/composite",
            "serviceConfig": {
                "availableMemory": "4Gi",
                "environmentVariables": environment,
                "secretEnvironmentVariables": [secret],
                "serviceAccountEmail": "composite-runtime@shop-project.iam.gserviceaccount.com",
                **(service or {}),
            },
            "state": "ACTIVE",
            **changes,
        },
        indent=2,
    )


@pytest.fixture
def deployed(doctor, gcloud, own_cloud):
    """Run the command on a deployment; this machine's own environment says nothing of it."""
    gcloud.answers("functions describe", described(own_cloud))
    gcloud.answers("secrets versions", KEY)

    def run(*arguments):
        return doctor("--deployed", *arguments, OUTPUT_BUCKET="not-this-one", GEMINI_API_KEY=None, MAX_USD_PER_DAY=None)

    return run


def test_the_deployed_functions_environment_is_what_is_examined(deployed, gcloud, own_cloud):
    visit = deployed("--project", "shop-project")
    assert (visit.status, visit.problems) == (0, []), visit.out + visit.err
    assert "composite-runtime@" in visit.lines("deployment", "ok")[0]
    assert (
        own_cloud.input in visit.lines("trigger", "ok")[0] and own_cloud.input in visit.lines("input bucket", "ok")[0]
    )
    assert own_cloud.output in visit.lines("output bucket", "ok")[0]
    assert "$40.00" in visit.lines("caps", "ok")[0]
    assert visit.lines("chain", "ok")[0].split()[2] == "gemini-3.1-flash-lite-image"
    describe, secret = gcloud.asked()
    assert describe[:4] == ["functions", "describe", "composite", "--gen2"]
    assert {"--region=us-central1", "--project=shop-project", "--format=json"} <= set(describe)
    assert secret[:4] == ["secrets", "versions", "access", "3"]
    assert {"--secret=composite-gemini-api-key", "--project=shop-project"} <= set(secret)


def test_terraform_says_which_function_it_deployed(deployed, gcloud):
    gcloud.install_terraform()
    assert deployed().status == 0
    assert gcloud.asked()[0][2] == "spring"
    assert {"--region=europe-west4", "--project=shop-project"} <= set(gcloud.asked()[0])


def test_what_is_said_wins_over_terraform(deployed, gcloud):
    gcloud.install_terraform()
    deployed("--name", "autumn", "--region", "us-east1")
    assert gcloud.asked()[0][2] == "autumn"
    assert {"--region=us-east1", "--project=shop-project"} <= set(gcloud.asked()[0])


def test_defaults_are_those_of_infra():
    text = VARIABLES.read_text(encoding="utf-8")
    stated = {
        name: re.search(rf'variable "{name}" {{.*?default     = "([^"]*)"', text, re.DOTALL)[1]
        for name in ("name", "region")
    }
    assert stated == {"name": DEFAULT_NAME, "region": DEFAULT_REGION}


def test_a_key_without_a_version_says_how_to_store_one(deployed, gcloud):
    gcloud.answers("secrets versions", None)
    visit = deployed()
    assert visit.status == 1
    (line,) = visit.lines("credentials", "problem")
    assert "gcloud secrets versions add composite-gemini-api-key" in line


@pytest.mark.parametrize(
    ("changes", "check", "words"),
    [
        ({"state": "FAILED", "stateMessages": [{"message": "Build failed"}]}, "deployment", "FAILED: Build failed"),
        ({"eventTrigger": None}, "trigger", "no upload starts"),
        (
            {
                "eventTrigger": {
                    "eventFilters": [{"attribute": "bucket", "value": "shop-in"}],
                    "retryPolicy": "RETRY_POLICY_DO_NOT_RETRY",
                }
            },
            "trigger",
            "not delivered again",
        ),
    ],
)
def test_a_deployment_that_cannot_work_is_a_problem(deployed, gcloud, own_cloud, changes, check, words):
    gcloud.answers("functions describe", described(own_cloud, **changes))
    visit = deployed()
    assert visit.status == 1
    assert words in visit.lines(check, "problem")[0]


def test_input_and_output_that_are_the_same_bucket(deployed, gcloud, own_cloud):
    same = {"eventFilters": [{"attribute": "bucket", "value": own_cloud.output}], "retryPolicy": "RETRY_POLICY_RETRY"}
    gcloud.answers("functions describe", described(own_cloud, eventTrigger=same))
    visit = deployed()
    assert visit.status == 1
    assert "both input and output" in visit.lines("buckets", "problem")[0]


def test_bad_values_of_the_deployment_are_named(deployed, gcloud, own_cloud):
    gcloud.answers("functions describe", described(own_cloud, service={"environmentVariables": {"MAX_PX": "1"}}))
    visit = deployed()
    assert visit.status == 1
    (line,) = visit.lines("settings", "problem")
    assert "MAX_PX='1'" in line and "OUTPUT_BUCKET is not set" in line


def test_without_gcloud_it_cannot_look(doctor):
    visit = doctor("--deployed")
    assert (visit.status, visit.out) == (2, "")
    assert "gcloud is not on PATH" in visit.err


@pytest.mark.parametrize(("answer", "words"), [(None, "active account"), ("<html>", "not understood")])
def test_a_gcloud_that_fails_is_a_sentence(deployed, gcloud, answer, words):
    gcloud.answers("functions describe", answer)
    visit = deployed()
    assert (visit.status, visit.out) == (2, "")
    assert words in visit.err
