"""Checks resources/: every icon is listed once and drawn as agreed, desktop and metainfo files name things that exist."""
import configparser
import os
import re
import sys
import xml.etree.ElementTree as xml

root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
folder = os.path.join(root, 'resources')
problems = []


def expect(condition, message):
    if not condition:
        problems.append(message)


listed = sorted(element.text for element in xml.parse(os.path.join(folder, 'icons.qrc')).iter('file'))
present = sorted('icons/' + name for name in os.listdir(os.path.join(folder, 'icons')) if name.endswith('.svg'))
expect(listed == present, f'icons.qrc lists {listed}, resources/icons holds {present}')
for name in present:
    path = os.path.join(folder, name)
    picture = xml.parse(path).getroot()
    expect(picture.tag == '{http://www.w3.org/2000/svg}svg', f'{name}: not an SVG picture')
    if name == 'icons/bdq-studio.svg':
        continue
    expect(picture.get('viewBox') == '0 0 24 24', f'{name}: viewBox is {picture.get("viewBox")}, expected 0 0 24 24')
    with open(path, encoding='utf-8') as file:
        colours = set(re.findall(r'(?:stroke|fill)="([^"]+)"', file.read())) - {'none', '#000'}
    expect(not colours, f'{name}: colours {colours}, expected only #000, which the window tints')

desktop = configparser.ConfigParser(interpolation=None)
desktop.optionxform = str
desktop.read(os.path.join(folder, 'bdq-studio.desktop'), encoding='utf-8')
entry = desktop['Desktop Entry']
expect(entry['Exec'].split()[0] == 'bdq-studio', f'bdq-studio.desktop: Exec is {entry["Exec"]}')
expect(f'icons/{entry["Icon"]}.svg' in present, f'bdq-studio.desktop: no icon {entry["Icon"]}')

metainfo = xml.parse(os.path.join(folder, 'bdq-studio.metainfo.xml')).getroot()
expect(metainfo.findtext('launchable') == 'bdq-studio.desktop', 'bdq-studio.metainfo.xml: launchable is not bdq-studio.desktop')
expect(metainfo.findtext('project_license') == 'GPL-3.0-or-later', 'bdq-studio.metainfo.xml: licence is not that of LICENSE')
expect(sorted(b.text for b in metainfo.iter('binary')) == ['bdq', 'bdq-studio'],
       'bdq-studio.metainfo.xml: binaries are not bdq and bdq-studio')

with open(os.path.join(folder, 'README.md'), encoding='utf-8') as file:
    described = file.read()
for name in sorted(os.listdir(folder)):
    expect(name == 'README.md' or f'`{name}' in described, f'resources/README.md does not mention {name}')

print('\n'.join(problems) or f'resources: {len(present)} icons, desktop and metainfo files agree')
sys.exit(1 if problems else 0)
