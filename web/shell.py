"""The shell of both services: a bare Flask application with problems, counts, and none of Flask's conveniences."""

from __future__ import annotations

from flask import Flask

from domain.ports import RandomSource
from web.metrics import Meter, measure, metrics_blueprint
from web.ocsp import Rest
from web.problems import install_problems


def make_shell(random: RandomSource, meter: Meter) -> Flask:
    """No static files, no templates, no redirects, no automatic OPTIONS; /metrics is there."""
    app = Flask("web", static_folder=None, template_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.converters["rest"] = Rest
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = True
    app.url_map.redirect_defaults = False
    install_problems(app, random)
    measure(app, meter)
    app.register_blueprint(metrics_blueprint(meter))
    return app
