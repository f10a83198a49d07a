"""The sample consortium: libraries, people, agreements, and a collection that is generated on the spot."""

from admin.sample.collection import build_collection
from admin.sample.reading import SampleConsortium, load_sample

__all__ = ["SampleConsortium", "build_collection", "load_sample"]
