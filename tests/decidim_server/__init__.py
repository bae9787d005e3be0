"""A Decidim for tests: its GraphQL API on loopback, over an instance in memory, with its limits and with faults.

All its content is synthetic unless a test brings its own. It executes with
graphql-core on the schemas of `tests/data/decidim/api`, and words its refusals as graphql-ruby does.
"""

from tests.decidim_server.faults import Fault, cut, drip, page, status
from tests.decidim_server.instance import Instance, a_comment, a_debate, a_proposal, a_result, small_instance
from tests.decidim_server.schemas import GENERATIONS, schema_of
from tests.decidim_server.server import Asked, DecidimServer

__all__ = [
    "GENERATIONS",
    "Asked",
    "DecidimServer",
    "Fault",
    "Instance",
    "a_comment",
    "a_debate",
    "a_proposal",
    "a_result",
    "cut",
    "drip",
    "page",
    "schema_of",
    "small_instance",
    "status",
]
