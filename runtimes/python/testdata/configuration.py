import configparser
import tomllib


def render(props):
    ini = configparser.ConfigParser()
    ini.read_string("[a]\nx = 1\npath = %(x)s/bin\n[b]\non = yes\n")
    toml = tomllib.loads('title = "T"\n[owner]\nborn = 1979-05-27T07:32:00Z\nports = [8001, 0x1F]\n[[item]]\nn = 1.5\n')
    return {"ini": [ini["a"]["path"], ini.getboolean("b", "on")], "toml": toml}
