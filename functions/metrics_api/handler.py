"""Lambda behind the HTTP API (payload format 2.0)."""

from mangum import Mangum

from metrics_api.app import app
from metrics_api.problems import PROBLEM_JSON

lambda_handler = Mangum(app, lifespan="off", text_mime_types=["text/", "application/json", PROBLEM_JSON])
