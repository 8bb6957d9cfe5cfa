"""The files of ``deploy`` agree with one another, with the app and with the documentation."""

import ipaddress
import re
import tomllib

import yaml

from pages.ui.http import protection, server
from tests.app import fake

ROOT = fake.ROOT
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
REPLICAS = {name: each for name, each in SERVICES.items() if name.startswith("replica-")}


def read(name):
    return (DEPLOY / name).read_text(encoding="utf-8")


def code_of(name):
    return [line for line in read(name).splitlines() if not line.startswith("#")]


def test_the_replicas_of_the_compose_file_are_those_that_nginx_knows():
    addresses = {}
    for name, each in REPLICAS.items():
        assert name == f"replica-{each['environment']['UNIGEOCLIP_REPLICA']}"
        addresses[name[-1]] = each["networks"]["inside"]["ipv4_address"]
    (subnet,) = COMPOSE["networks"]["inside"]["ipam"]["config"]
    nginx = SERVICES["nginx"]["networks"]["inside"]["ipv4_address"]
    for address in (nginx, *addresses.values()):
        assert ipaddress.ip_address(address) in ipaddress.ip_network(subnet["subnet"])
    assert {each["environment"]["FORWARDED_ALLOW_IPS"] for each in REPLICAS.values()} == {nginx}
    places = {"127.0.0.1:8501": f"{addresses['a']}:8501", "127.0.0.1:8502": f"{addresses['b']}:8501"}
    expected = [re.sub(r"127\.0\.0\.1:\d+", lambda found: places[found[0]], line) for line in code_of("replicas.conf")]
    assert code_of("replicas-compose.conf") == expected


def test_the_compose_file_names_what_is_there():
    for each in SERVICES.values():
        for volume in each["volumes"]:
            source = volume.partition(":")[0]
            assert source in COMPOSE["volumes"] or (DEPLOY / source).is_file(), volume
        assert each["mem_limit"]
    assert (DEPLOY / SERVICES["warm"]["build"] / "Dockerfile").is_file()
    assert SERVICES["warm"]["command"][1:] == ["-m", "unigeoclip", "warm"]
    secrets = {each["environment"]["STREAMLIT_SERVER_COOKIE_SECRET"] for each in REPLICAS.values()}
    assert len(REPLICAS) == 2
    assert re.fullmatch(r"\$\{UNIGEOCLIP_COOKIE_SECRET:\?.+\}", secrets.pop())
    assert not secrets, "one secret for all"
    assert all("/readyz" in " ".join(each["healthcheck"]["test"]) for each in REPLICAS.values())


def test_a_replica_has_the_time_to_stop_that_it_takes():
    for each in REPLICAS.values():
        assert int(each["stop_grace_period"].removesuffix("s")) > server.STOP_S + server.WRITING_S
    (unit,) = re.findall(r"^TimeoutStopSec=(\d+)$", read("unigeoclip@.service"), re.MULTILINE)
    assert int(unit) > server.STOP_S + server.WRITING_S


def test_nginx_lets_in_as_large_files_as_the_app_reads():
    options = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    (limit,) = re.findall(r"upload_file/ \{\s+client_max_body_size (\d+)m;", read("nginx.conf"))
    assert int(limit) == options["server"]["maxUploadSize"] + 1  # MB, and what a form puts round them


def test_nginx_goes_by_the_cookie_and_the_status_of_the_app():
    assert f"map $cookie_{protection.REPLICA_COOKIE} $unigeoclip_replica" in read("replicas.conf")
    assert f"proxy_next_upstream         error timeout http_{protection.ENDING_STATUS};" in read("nginx.conf")


def test_every_variable_is_read_by_the_code_and_documented():
    code = "".join(
        path.read_text(encoding="utf-8") for folder in ("pages", "unigeoclip") for path in (ROOT / folder).rglob("*.py")
    )
    documented = set(re.findall(r"\bUNIGEOCLIP_[A-Z_]+", (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")))
    assert len(documented) > 8
    assert {name for name in documented if f'"{name}"' not in code and f'environ.get("{name}"' not in code} == set()
    used = set()
    for path in DEPLOY.iterdir():
        used |= set(re.findall(r"\bUNIGEOCLIP_[A-Z_]+", path.read_text(encoding="utf-8")))
    assert used - documented == {"UNIGEOCLIP_COOKIE_SECRET"}, "which is of the compose file alone"
