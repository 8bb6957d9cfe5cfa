"""The store on S3, which is moto's on loopback."""

import numpy as np
import pytest

from tests.stores.made import clustered, write_parts
from unigeoclip.errors import InputError
from unigeoclip.stores.flat import FlatStore
from unigeoclip.stores.lance import LanceStore
from unigeoclip.stores.lance_writer import index_parts

pytestmark = pytest.mark.slow


@pytest.fixture
def bucket(monkeypatch):
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": "us-east-1"}
    for name, value in {**keys, "AWS_ENDPOINT": f"http://{host}:{port}", "AWS_ALLOW_HTTP": "true"}.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1")
    client.create_bucket(Bucket="places")
    yield "s3://places/index"
    server.stop()


def test_it_is_built_extended_and_searched_there(bucket, tmp_path):
    source = write_parts(tmp_path / "store", 1500)
    with pytest.raises(InputError, match=r"no index\.json"):
        LanceStore.open(bucket)
    index_parts(source, bucket, index_from=1000)
    write_parts(source, 300, first=1)
    index_parts(source, bucket, index_from=1000)
    store, queries = LanceStore.open(bucket), clustered(10, seed=5)
    assert store.count("text") == 1800
    flat = FlatStore.copy_of(store)
    box = (-60.0, -120.0, 60.0, 120.0)
    found, expected = store.search(queries, "text", 5, bbox=box), flat.search(queries, "text", 5, bbox=box)
    assert [store.items("text", rows).place_ids for rows in found.rows] == [
        flat.items("text", rows).place_ids for rows in expected.rows
    ]
    np.testing.assert_allclose(found.similarities, expected.similarities, atol=1e-6)


def test_a_bucket_that_is_not_there_is_one_line(bucket):
    with pytest.raises(InputError, match=r"no index\.json|cannot be used"):
        LanceStore.open("s3://elsewhere/index")
