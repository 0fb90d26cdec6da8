"""Opens the pages of `--format html` in Chromium, driven by Selenium, and uses them as people do.

Usage: python pages.py SG_AUDIT AXE_JS [PICTURES]

SG_AUDIT is the built program, AXE_JS the file axe.min.js of axe-core. PICTURES is a folder for screenshots in three
widths and both colour schemes. Prints how long a page with 5,000 findings takes to open.
"""

import base64
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import pypdf
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

HOSTILE = ["<script>document.title='evil'</script>", "\" onfocus=\"document.title='evil'\" autofocus=\"",
           "javascript:document.title='evil'", "<svg onload=\"document.title='evil'\">", "web\u202egnp.exe", "a" * 10_000]
WIDTHS = [400, 1280, 2560]
GROUP = "sg-{:017x}"


def rule(port: int, cidr: str) -> dict:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}


def group(number: int, name: str, *rules: dict) -> dict:
    arn = f"arn:aws:ec2:eu-central-1:123456789012:security-group/{GROUP.format(number)}"
    return {"GroupId": GROUP.format(number), "GroupName": name, "OwnerId": "123456789012", "VpcId": "vpc-0a1b2c3d",
            "SecurityGroupArn": arn, "IpPermissions": list(rules), "IpPermissionsEgress": []}


def record(number: int, name: str, time: str, who: str, of: int, port: int, cidr: str) -> dict:
    return {"eventSource": "ec2.amazonaws.com", "eventName": f"{name}SecurityGroupIngress", "eventID": f"event-{number}",
            "eventTime": time, "awsRegion": "eu-central-1", "recipientAccountId": "123456789012",
            "sourceIPAddress": "198.51.100.7", "userIdentity": {"type": "AssumedRole", "arn": who},
            "requestParameters": {"groupId": GROUP.format(of), "ipProtocol": "tcp", "fromPort": port, "toPort": port,
                                  "cidrIp": cidr},
            "responseElements": {"_return": True}}


def inputs(folder: pathlib.Path) -> None:
    session = "arn:aws:sts::123456789012:assumed-role/"
    alice, deploy = "arn:aws:iam::123456789012:user/alice", session + "deploy/terraform"
    auditor = session + "typo3-sg-auditor-Role/typo3-sg-auditor-Function"
    everybody, office = "0.0.0.0/0", "198.51.100.0/24"
    told = [("Authorize", "2026-09-02T08:11:00Z", alice, 1, 22, everybody),
            ("Revoke", "2026-09-02T08:11:40Z", auditor, 1, 22, everybody),
            ("Authorize", "2026-09-12T14:00:00Z", deploy, 2, 3306, everybody),
            ("Revoke", "2026-09-16T09:30:00Z", alice, 2, 3306, everybody),
            ("Revoke", "2026-09-05T10:00:00Z", alice, 2, 5432, office),
            ("Authorize", "2026-09-20T07:00:00Z", alice, 1, 8080, office),
            ("Authorize", "2026-10-01T12:00:00Z", deploy, 3, 22, everybody),
            ("Authorize", "2026-10-03T12:00:00Z", deploy, 3, 8443, everybody),
            ("Revoke", "2026-10-21T12:00:00Z", deploy, 3, 8443, everybody)]
    records = [record(number, *what) for number, what in enumerate(told)]
    groups = [group(1, "shop-web", rule(443, everybody), rule(8080, office)), group(2, "shop-db"),
              group(3, "staging", rule(22, everybody))]
    hostile = [group(100 + number, name, rule(22, everybody)) for number, name in enumerate(HOSTILE)]
    many = [group(1000 + number, f"group-{number}", rule(22, everybody)) for number in range(5000)]
    (folder / "trail.json").write_text(json.dumps({"Records": records}))
    for name, content in [("groups", groups), ("hostile", groups + hostile), ("many", many), ("long", many[:200])]:
        (folder / f"{name}.json").write_text(json.dumps({"SecurityGroups": content}))


def page(program: str, folder: pathlib.Path, name: str, *arguments: str) -> str:
    made = subprocess.run([program, *arguments, "--format", "html"], cwd=folder, capture_output=True, check=False)
    assert made.returncode == 1, (name, made.returncode, made.stderr)
    path = folder / f"{name}.html"
    path.write_bytes(made.stdout)
    return path.as_uri()


def index(program: str, folder: pathlib.Path, name: str, groups: str) -> str:
    """The index of evidence, unpacked, whose manifest is right."""
    archive = folder / f"{name}.zip"
    made = subprocess.run([program, "evidence", "--from", "2026-09-01", "--to", "2026-10-31", "--groups", groups,
                           "--output", archive, "trail.json"], cwd=folder, capture_output=True, check=False)
    assert made.returncode == 0, (name, made.returncode, made.stderr)
    unpacked = folder / name
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        opened.extractall(unpacked)
    subprocess.run(["sha256sum", "--strict", "--check", "--quiet", "MANIFEST.sha256"], cwd=unpacked, check=True)
    listed = {line.split("  ")[1] for line in (unpacked / "MANIFEST.sha256").read_text().splitlines()}
    assert listed == {file.name for file in unpacked.iterdir()} - {"MANIFEST.sha256"}, listed
    # What was changed is noticed.
    changed = unpacked / "report.csv"
    text = changed.read_bytes()
    changed.write_bytes(text + b"x")
    checked = subprocess.run(["sha256sum", "--check", "MANIFEST.sha256"], cwd=unpacked, capture_output=True, check=False)
    assert checked.returncode == 1 and b"report.csv: FAILED" in checked.stdout, checked
    changed.write_bytes(text)
    return (unpacked / "index.html").as_uri()


def follow(driver: webdriver.Chrome, url: str) -> None:
    """Every link of the index leads to a file, and those to pages open."""
    size(driver, 1280, "light")
    driver.get(url)
    links = [link.get_attribute("href") for link in driver.find_elements(By.CSS_SELECTOR, "section[aria-labelledby=contents] a")]
    assert len(links) == 12, links
    for link in links:
        assert pathlib.Path(link.removeprefix("file://")).is_file(), link
    for link in [link for link in links if link.endswith(".html")]:
        driver.get(link)
        assert driver.title, link
        asked_and_complained(driver, link)


def browser() -> webdriver.Chrome:
    options = Options()
    for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                     "--no-first-run", "--disable-background-networking"]:
        options.add_argument(argument)
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))


def asked_and_complained(driver: webdriver.Chrome, what: str) -> None:
    said = [entry["message"] for entry in driver.get_log("browser")]
    assert not said, f"{what} writes to the console: {said}"
    sent = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    urls = [message["params"]["request"]["url"] for message in sent if message["method"] == "Network.requestWillBeSent"]
    assert all(url.startswith("file:") for url in urls), f"{what} asks {urls}"


def size(driver: webdriver.Chrome, width: int, scheme: str) -> None:
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                           {"features": [{"name": "prefers-color-scheme", "value": scheme}]})


def shown(driver: webdriver.Chrome) -> list:
    return [row for row in driver.find_elements(By.CSS_SELECTOR, "table:not(.plain) tbody tr") if row.is_displayed()]


def use(driver: webdriver.Chrome, url: str) -> None:
    size(driver, 1280, "light")
    driver.get(url)
    everything = len(shown(driver))
    assert everything > 3
    field = driver.find_element(By.CLASS_NAME, "filter")
    field.send_keys("8443")
    assert 0 < len(shown(driver)) < everything and "8443" in shown(driver)[0].text
    field.clear()
    field.send_keys("nothing has this")
    assert not shown(driver)
    driver.refresh()
    head = driver.find_elements(By.CSS_SELECTOR, "th[data-sort] button")[0]
    ranks = lambda: [int(row.find_element(By.TAG_NAME, "td").get_attribute("data-sort")) for row in shown(driver)]
    head.click()
    assert ranks() == sorted(ranks(), reverse=True)
    head.send_keys("\n")
    assert ranks() == sorted(ranks())
    assert driver.find_elements(By.CSS_SELECTOR, "th[data-sort]")[0].get_attribute("aria-sort") == "ascending"
    driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    driver.find_element(By.CSS_SELECTOR, "tbody summary").click()
    copy = driver.find_element(By.CSS_SELECTOR, "details[open] button.copy")
    copy.click()
    WebDriverWait(driver, 5).until(lambda _: copy.text == "Copied")
    command = driver.find_element(By.CSS_SELECTOR, "details[open] code").text
    assert command.startswith("aws ec2 revoke-security-group-ingress"), command
    # A phone lays the rows out in another way.
    size(driver, 400, "dark")
    driver.get(url)
    field = driver.find_element(By.CLASS_NAME, "filter")
    field.send_keys("8443")
    assert 0 < len(shown(driver)) < everything and "8443" in shown(driver)[0].text
    size(driver, 1280, "light")
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    driver.get(url)
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert len(shown(driver)) == everything and not driver.find_element(By.CLASS_NAME, "tools").is_displayed()
    asked_and_complained(driver, url)


def printed(driver: webdriver.Chrome, url: str, pictures: str | None, name: str) -> None:
    """On paper there is nothing to press, every command is to be read, and nothing is dark."""
    size(driver, 1280, "dark")
    driver.get(url)
    command = driver.find_element(By.CSS_SELECTOR, "tbody code")
    assert not command.is_displayed()
    dark = driver.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    paper = driver.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
    assert dark != paper and paper == "rgba(255, 255, 255, 1)", (dark, paper)
    assert not driver.find_element(By.CLASS_NAME, "tools").is_displayed()
    assert not any(button.is_displayed() for button in driver.find_elements(By.CLASS_NAME, "copy"))
    height = driver.execute_script("return arguments[0].getBoundingClientRect().height", command)
    assert height > 10, f"the command is {height} high on paper"
    pdf = base64.b64decode(driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    assert pdf.startswith(b"%PDF-") and len(pdf) > 10_000, len(pdf)
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    # A line breaks anywhere in a long word.
    text = "".join(text.split())
    assert "revoke-security-group-ingress" in text and "Copy" not in text and "Filter" not in text, text
    if pictures:
        (pathlib.Path(pictures) / f"{name}.pdf").write_bytes(pdf)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def use_many(driver: webdriver.Chrome, url: str) -> None:
    """With many rows, those that are not seen are there all the same."""
    for width in WIDTHS:
        size(driver, width, "light")
        driver.get(url)
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width, width
        field = driver.find_element(By.CLASS_NAME, "filter")
        field.send_keys("group-4321")
        high = driver.execute_script(
            "return Array.from(document.querySelectorAll('tbody tr'), (row) => row.offsetHeight).filter(Boolean)")
        assert len(high) == 1 and high[0] > 20, high
        assert "group-4321" in driver.find_element(By.CSS_SELECTOR, "tbody tr:not([hidden])").text
        assert driver.find_element(By.CLASS_NAME, "shown").text == "1 of 5000 shown"
        field.clear()
        field.send_keys(" ")
    size(driver, 1280, "light")
    driver.get(url)
    head = driver.find_elements(By.CSS_SELECTOR, "th[data-sort] button")[2]
    first = lambda: driver.find_element(By.CSS_SELECTOR, "tbody tr td:nth-child(3)").text
    head.click()
    head.click()
    assert first().startswith("group-4999"), first()


def main(program: str, axe: str, pictures: str | None = None) -> None:
    program, axe = str(pathlib.Path(program).resolve()), pathlib.Path(axe).read_text()
    driver = browser()
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        inputs(folder)
        history = page(program, folder, "history", "history", "trail.json", "--groups", "groups.json")
        check = page(program, folder, "check", "check", "groups.json")
        hostile = page(program, folder, "hostile", "history", "trail.json", "--groups", "hostile.json")
        hostile_check = page(program, folder, "hostile-check", "check", "hostile.json")
        many = page(program, folder, "many", "check", "many.json")
        evidence = index(program, folder, "evidence", "groups.json")
        hostile_evidence = index(program, folder, "hostile-evidence", "hostile.json")
        use(driver, history)
        printed(driver, history, pictures, "history")
        printed(driver, check, pictures, "check")
        follow(driver, evidence)
        passed = 4
        for name, url in [("history", history), ("check", check), ("evidence", evidence), ("hostile", hostile),
                          ("hostile-check", hostile_check), ("hostile-evidence", hostile_evidence)]:
            for width in WIDTHS:
                for scheme in ["light", "dark"]:
                    size(driver, width, scheme)
                    driver.get(url)
                    assert driver.title in ["Security groups", "Openings of security groups", "Evidence on security groups"], (name, driver.title)
                    wide = driver.execute_script("return document.documentElement.scrollWidth")
                    assert wide <= width, f"{name} is {wide} wide at {width}"
                    if pictures and not name.startswith("hostile"):
                        driver.save_screenshot(str(pathlib.Path(pictures) / f"{name}-{width}-{scheme}.png"))
                    asked_and_complained(driver, name)
                    driver.execute_script(axe)
                    found = driver.execute_async_script("axe.run().then(arguments[arguments.length - 1])")["violations"]
                    faults = [(fault["id"], [node["html"][:200] for node in fault["nodes"][:3]]) for fault in found]
                    assert not faults, f"{name} at {width}, {scheme}: {faults}"
                    driver.get_log("browser")
                    passed += 1
        size(driver, 1280, "light")
        # The first time, Chromium reads its own files too.
        took = []
        for _ in range(3):
            driver.get(many)
            took.append(driver.execute_script(
                "const it = performance.getEntriesByType('navigation')[0]; return it.loadEventEnd - it.startTime"))
        assert len(driver.find_elements(By.CSS_SELECTOR, "tbody tr")) == 5000
        asked_and_complained(driver, "many")
        print(f"a page with 5,000 findings opens in {sorted(took)[1]:.0f} ms")
        assert min(took) < 2000, took
        use_many(driver, many)
        long = page(program, folder, "long", "check", "long.json")
        for width in WIDTHS:
            size(driver, width, "dark")
            driver.get(long)
            assert driver.find_elements(By.CSS_SELECTOR, "table.long")
            driver.execute_script(axe)
            found = driver.execute_async_script("axe.run().then(arguments[arguments.length - 1])")["violations"]
            assert not found, f"a long page at {width}: {[fault['id'] for fault in found]}"
        print(f"{passed + 3} passed, 0 failed")
    driver.quit()


if __name__ == "__main__":
    main(*sys.argv[1:])
