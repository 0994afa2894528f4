<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name>bdq::AnalysisPlot</name>
    <message>
        <source>text the model wrote itself</source>
        <translation>selbst erzeugter Text</translation>
    </message>
    <message>
        <source>%1 tokens of %2</source>
        <translation>%1 Token (%2)</translation>
    </message>
    <message>
        <source>%1

Run → Analyse activations fills this view layer by layer.</source>
        <translation>%1

Ausführen → Aktivierungen analysieren füllt diese Ansicht Schicht für Schicht.</translation>
    </message>
</context>
<context>
    <name>bdq::AnalyzeSheet</name>
    <message>
        <source>Analyse activations</source>
        <translation>Aktivierungen analysieren</translation>
    </message>
    <message>
        <source>Sends a text through the model, layer by layer, and measures every site under the chosen transforms.</source>
        <translation>Schickt einen Text Schicht für Schicht durch das Modell und misst jede Stelle unter den gewählten Transformationen.</translation>
    </message>
    <message>
        <source>&amp;Start analysis</source>
        <translation>Analyse &amp;starten</translation>
    </message>
    <message>
        <source>all, or for example 0-3,7</source>
        <translation>alle, oder zum Beispiel 0-3,7</translation>
    </message>
    <message>
        <source>&amp;Text</source>
        <translation>&amp;Text</translation>
    </message>
    <message>
        <source>Transforms</source>
        <translation>Transformationen</translation>
    </message>
    <message>
        <source>&amp;Layers</source>
        <translation>Schi&amp;chten</translation>
    </message>
    <message>
        <source>&amp;Device</source>
        <translation>&amp;Gerät</translation>
    </message>
</context>
<context>
    <name>bdq::BitsBox</name>
    <message>
        <source>Nearest code, range from the largest magnitude</source>
        <translation>Nächster Code, Bereich aus dem größten Betrag</translation>
    </message>
    <message>
        <source>Nearest code, range searched for the smallest L2.4 error</source>
        <translation>Nächster Code, Bereich mit dem kleinsten L2.4-Fehler gesucht</translation>
    </message>
    <message>
        <source>Errors compensated in the weights that follow, ranges by the L2.4 search</source>
        <translation>Fehler in den folgenden Gewichten ausgeglichen, Bereiche aus der L2.4-Suche</translation>
    </message>
    <message>
        <source>mixed</source>
        <translation>gemischt</translation>
    </message>
    <message>
        <source>keep</source>
        <translation>gleich</translation>
    </message>
    <message>
        <source>16 bits: not quantized</source>
        <translation>16 Bit: nicht quantisiert</translation>
    </message>
    <message>
        <source>default (%1)</source>
        <translation>Vorgabe (%1)</translation>
    </message>
    <message>
        <source>auto: a GPU when there is one</source>
        <translation>auto: eine GPU, wenn es eine gibt</translation>
    </message>
    <message>
        <source>&lt;p&gt;Online at inference: %1&lt;/p&gt;</source>
        <translation>&lt;p&gt;Bleibt beim Inferieren übrig: %1&lt;/p&gt;</translation>
    </message>
    <message>
        <source>&lt;p&gt;Other than the paper: %1&lt;/p&gt;</source>
        <translation>&lt;p&gt;Anders als im Artikel: %1&lt;/p&gt;</translation>
    </message>
    <message>
        <source>Nearest code, range searched for the smallest error of the layer&apos;s output</source>
        <translation>Nächster Code, Bereich mit dem kleinsten Fehler der Schichtausgabe gesucht</translation>
    </message>
</context>
<context>
    <name>bdq::BudgetController</name>
    <message>
        <source>Analyse the model first: its losses decide which sites get more bits</source>
        <translation>Erst das Modell analysieren: seine Verluste entscheiden, welche Stellen mehr Bits bekommen</translation>
    </message>
    <message>
        <source>measured</source>
        <translation>gemessen</translation>
    </message>
    <message>
        <source>Loss: %1</source>
        <translation>Verlust: %1</translation>
    </message>
    <message>
        <source>Transform: %1</source>
        <translation>Transformation: %1</translation>
    </message>
    <message>
        <source>Proven: no choice within the budget has a smaller sum</source>
        <translation>Bewiesen: keine Wahl im Budget hat eine kleinere Summe</translation>
    </message>
    <message>
        <source>Not proven: the search stopped early</source>
        <translation>Nicht bewiesen: die Suche endete vorzeitig</translation>
    </message>
    <message>
        <source>as much as %1 everywhere</source>
        <translation>so viel wie %1 überall</translation>
    </message>
    <message>
        <source>%1 less than %2 everywhere</source>
        <translation>%1 weniger als %2 überall</translation>
    </message>
    <message>
        <source>%1 more than %2 everywhere</source>
        <translation>%1 mehr als %2 überall</translation>
    </message>
    <message>
        <source>estimated</source>
        <translation>geschätzt</translation>
    </message>
    <message>
        <source>Bit widths to choose from</source>
        <translation>Bitbreiten zur Wahl</translation>
    </message>
    <message>
        <source>Not ranked: nothing tells what the model loses by each row. Measure losses, or analyse again.</source>
        <translation>Ohne Rangfolge: nichts sagt, was das Modell durch jede Zeile verliert. Verluste messen oder neu analysieren.</translation>
    </message>
    <message>
        <source>Other losses are known now than when these bits were chosen: move the slider to choose again</source>
        <translation>Inzwischen sind andere Verluste bekannt als bei der Wahl dieser Bits: den Regler bewegen, um neu zu wählen</translation>
    </message>
    <message>
        <source>sum of losses %1 nats (%2)</source>
        <translation>Summe der Verluste %1 nats (%2)</translation>
    </message>
    <message numerus="yes">
        <source>%n locked rows stay as they are</source>
        <translation>
            <numerusform>%n gesperrte Zeile bleibt, wie sie ist</numerusform>
            <numerusform>%n gesperrte Zeilen bleiben, wie sie sind</numerusform>
        </translation>
    </message>
    <message>
        <source>1 locked row stays as it is</source>
        <translation>1 gesperrte Zeile bleibt, wie sie ist</translation>
    </message>
    <message>
        <source>losses under %1: the plan&apos;s transform is not known</source>
        <translation>Verluste unter %1: die Transformation des Plans ist nicht bekannt</translation>
    </message>
</context>
<context>
    <name>bdq::BudgetRow</name>
    <message>
        <source>Average bits of weights</source>
        <translation>Mittlere Bits der Gewichte</translation>
    </message>
    <message>
        <source> bit</source>
        <translation> Bit</translation>
    </message>
    <message>
        <source>Average bits of all weights, scales and zero points counted. Every site gets the bits with which the sum of the losses is smallest.</source>
        <translation>Mittlere Bits aller Gewichte, Skalen und Nullpunkte mitgezählt. Jede Stelle bekommt die Bits, mit denen die Summe der Verluste am kleinsten ist.</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Meas&amp;ure losses</source>
        <translation>Verluste m&amp;essen</translation>
    </message>
    <message>
        <source>Stops the measurement; nothing of it is kept</source>
        <translation>Beendet die Messung; nichts von ihr wird behalten</translation>
    </message>
    <message>
        <source>Move it: every site gets the bits that cost the model least</source>
        <translation>Bewegen: jede Stelle bekommt die Bits, die das Modell am wenigsten kosten</translation>
    </message>
    <message>
        <source>Bit widths that a row can get</source>
        <translation>Bitbreiten, die eine Zeile bekommen kann</translation>
    </message>
    <message>
        <source>Bit widths that the slider chooses from</source>
        <translation>Bitbreiten, aus denen der Regler wählt</translation>
    </message>
    <message>
        <source>%1 bits</source>
        <translation>%1 Bits</translation>
    </message>
    <message>
        <source>Measures what the whole model loses when one site alone is quantized, for every site and bit width (sensitivity). Until then estimated losses are compared, where the analysis has them; without either nothing is ranked.</source>
        <translation>Misst, was das ganze Modell verliert, wenn eine einzelne Stelle quantisiert wird, für jede Stelle und Bitbreite (Empfindlichkeit). Bis dahin werden geschätzte Verluste verglichen, wo die Analyse sie hat; ohne beides gibt es keine Rangfolge.</translation>
    </message>
</context>
<context>
    <name>bdq::CalibrationEditor</name>
    <message>
        <source>Text file</source>
        <translation>Textdatei</translation>
    </message>
    <message>
        <source>Calibration text</source>
        <translation>Kalibriertext</translation>
    </message>
    <message>
        <source>Sequences</source>
        <translation>Sequenzen</translation>
    </message>
    <message>
        <source>Tokens per sequence</source>
        <translation>Token je Sequenz</translation>
    </message>
    <message>
        <source>sequences ×</source>
        <translation>Sequenzen ×</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>= %1 tokens</source>
        <translation>= %1 Token</translation>
    </message>
    <message>
        <source>Written by the model</source>
        <translation>Vom Modell geschrieben</translation>
    </message>
    <message>
        <source>Text the model writes itself; needs no data</source>
        <translation>Text, den das Modell selbst schreibt; braucht keine Daten</translation>
    </message>
</context>
<context>
    <name>bdq::ChannelsPlot</name>
    <message>
        <source>Sorted channel magnitudes before and after a transform</source>
        <translation>Sortierte Kanalbeträge vor und nach einer Transformation</translation>
    </message>
    <message>
        <source>RMS</source>
        <translation>RMS</translation>
    </message>
    <message>
        <source>Largest</source>
        <translation>Größter</translation>
    </message>
    <message>
        <source>Magnitude of a channel</source>
        <translation>Betrag eines Kanals</translation>
    </message>
    <message>
        <source>RMS: root mean square of the channel. Largest: its largest absolute value.</source>
        <translation>RMS: quadratischer Mittelwert des Kanals. Größter: sein größter Betrag.</translation>
    </message>
    <message>
        <source>channels by magnitude, largest first</source>
        <translation>Kanäle nach Betrag, größter zuerst</translation>
    </message>
    <message>
        <source>RMS of the channel</source>
        <translation>RMS des Kanals</translation>
    </message>
    <message>
        <source>largest magnitude of the channel</source>
        <translation>größter Betrag des Kanals</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation>%1: %2</translation>
    </message>
    <message>
        <source>before</source>
        <translation>vorher</translation>
    </message>
    <message>
        <source>after</source>
        <translation>nachher</translation>
    </message>
    <message>
        <source>rank %1</source>
        <translation>Rang %1</translation>
    </message>
    <message>
        <source>   %1 %2 (channel %3)</source>
        <translation>   %1 %2 (Kanal %3)</translation>
    </message>
    <message>
        <source>The magnitude of every channel, largest first: steep on the left means outlier channels.</source>
        <translation>Der Betrag jedes Kanals, größter zuerst: links steil heißt Ausreißerkanäle.</translation>
    </message>
</context>
<context>
    <name>bdq::CommandBox</name>
    <message>
        <source>The same on the command line</source>
        <translation>Dasselbe auf der Befehlszeile</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>Copies the command line that does the same</source>
        <translation>Kopiert die Befehlszeile, die dasselbe tut</translation>
    </message>
</context>
<context>
    <name>bdq::CommandPalette</name>
    <message>
        <source>Command palette</source>
        <translation>Befehlspalette</translation>
    </message>
    <message>
        <source>Find a layer or an action, for example 11.down</source>
        <translation>Schicht oder Aktion suchen, zum Beispiel 11.down</translation>
    </message>
    <message>
        <source>Find a layer or an action</source>
        <translation>Schicht oder Aktion suchen</translation>
    </message>
    <message>
        <source>Results</source>
        <translation>Ergebnisse</translation>
    </message>
</context>
<context>
    <name>bdq::ComparePanel</name>
    <message>
        <source>Choose two finished runs: their perplexities, bits and times appear here, and the SQNR of every layer with the difference.

A run of another folder joins by “Run folder…”.</source>
        <translation>Zwei fertige Läufe wählen: Ihre Perplexitäten, Bits und Zeiten erscheinen hier, dazu das SQNR jeder Schicht mit der Differenz.

Ein Lauf aus einem anderen Ordner kommt mit „Ordner …“ dazu.</translation>
    </message>
    <message>
        <source>Run A</source>
        <translation>Lauf A</translation>
    </message>
    <message>
        <source>Run B</source>
        <translation>Lauf B</translation>
    </message>
    <message>
        <source>choose a run</source>
        <translation>Lauf wählen</translation>
    </message>
    <message>
        <source>S&amp;wap</source>
        <translation>&amp;Tauschen</translation>
    </message>
    <message>
        <source>Exchanges A and B; differences are B minus A.</source>
        <translation>Vertauscht A und B; Differenzen sind B minus A.</translation>
    </message>
    <message>
        <source>Run &amp;folder…</source>
        <translation>&amp;Ordner …</translation>
    </message>
    <message>
        <source>Both runs as wholes</source>
        <translation>Beide Läufe im Ganzen</translation>
    </message>
    <message>
        <source>A</source>
        <translation>A</translation>
    </message>
    <message>
        <source>B</source>
        <translation>B</translation>
    </message>
    <message>
        <source>B − A</source>
        <translation>B − A</translation>
    </message>
    <message>
        <source>Both runs layer by layer</source>
        <translation>Beide Läufe Schicht für Schicht</translation>
    </message>
    <message>
        <source>A: %1</source>
        <translation>A: %1</translation>
    </message>
    <message>
        <source>B: %1</source>
        <translation>B: %1</translation>
    </message>
</context>
<context>
    <name>bdq::ComparePlot</name>
    <message>
        <source>SQNR of one site across the layers of two runs</source>
        <translation>SQNR einer Stelle über die Schichten zweier Läufe</translation>
    </message>
    <message>
        <source>Site</source>
        <translation>Stelle</translation>
    </message>
    <message>
        <source>SQNR of both runs across the layers appears here.</source>
        <translation>Das SQNR beider Läufe über die Schichten erscheint hier.</translation>
    </message>
    <message>
        <source>A dashed, B solid</source>
        <translation>A gestrichelt, B durchgezogen</translation>
    </message>
    <message>
        <source>%1   %2   %3 dB</source>
        <translation>%1   %2   %3 dB</translation>
    </message>
</context>
<context>
    <name>bdq::DetailPlot</name>
    <message>
        <source>Activations x</source>
        <translation>Aktivierungen x</translation>
    </message>
    <message>
        <source>Weights W</source>
        <translation>Gewichte W</translation>
    </message>
    <message>
        <source>Operand</source>
        <translation>Operand</translation>
    </message>
    <message>
        <source>%1 × %2</source>
        <translation>%1 × %2</translation>
    </message>
    <message>
        <source>%1 · weights %2 [%3]</source>
        <translation>%1 · Gewichte %2 [%3]</translation>
    </message>
    <message>
        <source>text the model wrote itself</source>
        <translation>selbst erzeugter Text</translation>
    </message>
    <message>
        <source>%1 · input of %2 channels · %3 tokens of %4</source>
        <translation>%1 · Eingang mit %2 Kanälen · %3 Token (%4)</translation>
    </message>
    <message>
        <source>%1

Select a row of the layer table to see it.</source>
        <translation>%1

Eine Zeile der Schichttabelle auswählen, um es zu sehen.</translation>
    </message>
    <message>
        <source>%1

No activations of %2 yet. Run → Analyse activations fills this view.</source>
        <translation>%1

Noch keine Aktivierungen von %2. Ausführen → Aktivierungen analysieren füllt diese Ansicht.</translation>
    </message>
    <message>
        <source>before</source>
        <translation>vorher</translation>
    </message>
    <message>
        <source>after</source>
        <translation>nachher</translation>
    </message>
</context>
<context>
    <name>bdq::FlatnessPlot</name>
    <message>
        <source>Entropy, normalised</source>
        <translation>Entropie, normiert</translation>
    </message>
    <message>
        <source>entropy Flatness, 0 = flat</source>
        <translation>Entropie-Flatness, 0 = flach</translation>
    </message>
    <message>
        <source>Channel norms</source>
        <translation>Kanalnormen</translation>
    </message>
    <message>
        <source>channel flatness, 0 = flat</source>
        <translation>Kanal-Flatness, 0 = flach</translation>
    </message>
    <message>
        <source>Fig. 2 form, not normalised</source>
        <translation>Form nach Abb. 2, nicht normiert</translation>
    </message>
    <message>
        <source>Fig. 2 form, grows with the tensor</source>
        <translation>Form nach Abb. 2, wächst mit dem Tensor</translation>
    </message>
    <message>
        <source>Flatness across layers before and after a transform</source>
        <translation>Flatness über die Schichten vor und nach einer Transformation</translation>
    </message>
    <message>
        <source>Activations x</source>
        <translation>Aktivierungen x</translation>
    </message>
    <message>
        <source>Weights W</source>
        <translation>Gewichte W</translation>
    </message>
    <message>
        <source>Operand</source>
        <translation>Operand</translation>
    </message>
    <message>
        <source>Definition of Flatness</source>
        <translation>Definition der Flatness</translation>
    </message>
    <message>
        <source>Transform after</source>
        <translation>Transformation nachher</translation>
    </message>
    <message>
        <source>Show rows from</source>
        <translation>Zeilen zeigen ab</translation>
    </message>
    <message>
        <source>Filters the layer table to rows whose value after the transform is at least this. Drag the line in the plot or type a value.</source>
        <translation>Filtert die Schichttabelle auf Zeilen, deren Wert nach der Transformation mindestens so groß ist. Linie im Diagramm ziehen oder einen Wert eingeben.</translation>
    </message>
    <message>
        <source>Threshold</source>
        <translation>Schwelle</translation>
    </message>
    <message>
        <source>after: %1</source>
        <translation>nachher: %1</translation>
    </message>
    <message>
        <source>layer</source>
        <translation>Schicht</translation>
    </message>
    <message>
        <source>activations</source>
        <translation>Aktivierungen</translation>
    </message>
    <message>
        <source>weights</source>
        <translation>Gewichte</translation>
    </message>
    <message>
        <source>Flatness of %1 · %2</source>
        <translation>Flatness der %1 · %2</translation>
    </message>
    <message>
        <source>before: %1</source>
        <translation>vorher: %1</translation>
    </message>
    <message>
        <source>≥ %1: 1 row</source>
        <translation>≥ %1: 1 Zeile</translation>
    </message>
    <message numerus="yes">
        <source>≥ %1: %n rows</source>
        <translation>
            <numerusform>≥ %1: %n Zeile</numerusform>
            <numerusform>≥ %1: %n Zeilen</numerusform>
        </translation>
    </message>
    <message>
        <source>%1   before %2   after %3</source>
        <translation>%1   vorher %2   nachher %3</translation>
    </message>
    <message>
        <source>Flatness of every site across the layers, before and after a transform.</source>
        <translation>Flatness jeder Stelle über die Schichten, vor und nach einer Transformation.</translation>
    </message>
</context>
<context>
    <name>bdq::HeaderStrip</name>
    <message>
        <source>No model open</source>
        <translation>Kein Modell geöffnet</translation>
    </message>
    <message>
        <source>%1 · 1 layer · %2</source>
        <translation>%1 · 1 Schicht · %2</translation>
    </message>
    <message numerus="yes">
        <source>%1 · %n layers · %2</source>
        <translation>
            <numerusform>%1 · %n Schicht · %2</numerusform>
            <numerusform>%1 · %n Schichten · %2</numerusform>
        </translation>
    </message>
    <message>
        <source>not analysed yet</source>
        <translation>noch nicht analysiert</translation>
    </message>
    <message>
        <source>text the model wrote itself</source>
        <translation>selbst erzeugter Text</translation>
    </message>
    <message>
        <source>calibration: %1, %2 × %3 tokens</source>
        <translation>Kalibrierung: %1, %2 × %3 Token</translation>
    </message>
    <message>
        <source>perplexity %1</source>
        <translation>Perplexität %1</translation>
    </message>
    <message>
        <source>Model as it is: %1</source>
        <translation>Modell, wie es ist: %1</translation>
    </message>
    <message>
        <source>Latest run: %1</source>
        <translation>Letzter Lauf: %1</translation>
    </message>
    <message>
        <source>Unknown until a run with an evaluation text has finished.</source>
        <translation>Unbekannt, bis ein Lauf mit Auswertungstext fertig ist.</translation>
    </message>
    <message>
        <source>%1 bit</source>
        <translation>%1 Bit</translation>
    </message>
    <message>
        <source>%1 · %2</source>
        <translation>%1 · %2</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation>%1: %2</translation>
    </message>
    <message>
        <source>Average bits over all linear weights with scales and zero points, those that are not quantized at 16: %1. Linear weights: %2. Everything else (embedding, head, norms) counts 16 bits.</source>
        <translation>Mittlere Bits aller linearen Gewichte mit Skalen und Nullpunkten, die nicht quantisierten mit 16: %1. Lineare Gewichte: %2. Alles andere (Einbettung, Kopf, Normen) zählt 16 Bits.</translation>
    </message>
    <message>
        <source>%1 (%2 in the listed rows)</source>
        <translation>%1 (%2 in den gezeigten Zeilen)</translation>
    </message>
    <message>
        <source>Measured on %1 tokens only: differences of some percent are chance.</source>
        <translation>Nur auf %1 Token gemessen: Unterschiede von einigen Prozent sind Zufall.</translation>
    </message>
</context>
<context>
    <name>bdq::HistogramPlot</name>
    <message>
        <source>%1 zero or tiny</source>
        <translation>%1 null oder winzig</translation>
    </message>
    <message>
        <source>%1 beyond the axis</source>
        <translation>%1 außerhalb der Achse</translation>
    </message>
    <message>
        <source>Histogram of magnitudes before and after a transform</source>
        <translation>Histogramm der Beträge vor und nach einer Transformation</translation>
    </message>
    <message>
        <source>magnitude |x|</source>
        <translation>Betrag |x|</translation>
    </message>
    <message>
        <source>magnitude |w|</source>
        <translation>Betrag |w|</translation>
    </message>
    <message>
        <source>count per bin</source>
        <translation>Anzahl je Klasse</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation>%1: %2</translation>
    </message>
    <message>
        <source>before</source>
        <translation>vorher</translation>
    </message>
    <message>
        <source>after</source>
        <translation>nachher</translation>
    </message>
    <message>
        <source>%1 ≤ magnitude &lt; %2</source>
        <translation>%1 ≤ Betrag &lt; %2</translation>
    </message>
    <message>
        <source>   %1 %2</source>
        <translation>   %1 %2</translation>
    </message>
    <message>
        <source>How often each magnitude occurs in a site, before and after a transform.</source>
        <translation>Wie oft jeder Betrag an einer Stelle vorkommt, vor und nach einer Transformation.</translation>
    </message>
</context>
<context>
    <name>bdq::InspectorFacts</name>
    <message>
        <source>Outliers (%)</source>
        <translation>Ausreißer (%)</translation>
    </message>
    <message>
        <source>Kurtosis</source>
        <translation>Kurtosis</translation>
    </message>
    <message>
        <source>Largest |x|</source>
        <translation>Größtes |x|</translation>
    </message>
    <message>
        <source>Largest |w|</source>
        <translation>Größtes |w|</translation>
    </message>
    <message>
        <source>Flatness x</source>
        <translation>Flatness x</translation>
    </message>
    <message>
        <source>Flatness W</source>
        <translation>Flatness W</translation>
    </message>
    <message>
        <source>C(x) (dB)</source>
        <translation>C(x) (dB)</translation>
    </message>
    <message>
        <source>C(W) (dB)</source>
        <translation>C(W) (dB)</translation>
    </message>
    <message>
        <source>A (dB)</source>
        <translation>A (dB)</translation>
    </message>
    <message>
        <source>Not known yet</source>
        <translation>Noch nicht bekannt</translation>
    </message>
    <message>
        <source>%1 … %2</source>
        <translation>%1 … %2</translation>
    </message>
    <message>
        <source>mixed</source>
        <translation>gemischt</translation>
    </message>
    <message>
        <source>from %1 to %2</source>
        <translation>von %1 bis %2</translation>
    </message>
    <message>
        <source>before</source>
        <translation>vorher</translation>
    </message>
    <message>
        <source>after</source>
        <translation>nachher</translation>
    </message>
    <message>
        <source>%1, before</source>
        <translation>%1, vorher</translation>
    </message>
    <message>
        <source>%1, after</source>
        <translation>%1, nachher</translation>
    </message>
    <message>
        <source>Largest / RMS</source>
        <translation>Größtes / RMS</translation>
    </message>
</context>
<context>
    <name>bdq::InspectorPanel</name>
    <message>
        <source>Facts and bits of the selected rows appear here.

Select one or more rows of the layer table, or click a point in a plot.</source>
        <translation>Fakten und Bits der ausgewählten Zeilen erscheinen hier.

Eine oder mehrere Zeilen der Schichttabelle auswählen oder auf einen Punkt in einem Diagramm klicken.</translation>
    </message>
    <message>
        <source>Measure now</source>
        <translation>Jetzt messen</translation>
    </message>
    <message>
        <source>Quantizes these rows with the chosen bits and transform and measures the SQNR on kept tokens</source>
        <translation>Quantisiert diese Zeilen mit den gewählten Bits und der Transformation und misst das SQNR an aufbewahrten Token</translation>
    </message>
    <message>
        <source>&amp;Transform</source>
        <translation>&amp;Transformation</translation>
    </message>
    <message>
        <source>Bits of weights</source>
        <translation>Bits der Gewichte</translation>
    </message>
    <message>
        <source>Bits of activations</source>
        <translation>Bits der Aktivierungen</translation>
    </message>
    <message>
        <source>Bits of the KV cache of these layers</source>
        <translation>Bits des KV-Cache dieser Schichten</translation>
    </message>
    <message>
        <source>&amp;Weights</source>
        <translation>&amp;Gewichte</translation>
    </message>
    <message>
        <source>&amp;Activations</source>
        <translation>&amp;Aktivierungen</translation>
    </message>
    <message>
        <source>&amp;KV cache</source>
        <translation>&amp;KV-Cache</translation>
    </message>
    <message numerus="yes">
        <source>%n rows selected</source>
        <translation>
            <numerusform>%n Zeile ausgewählt</numerusform>
            <numerusform>%n Zeilen ausgewählt</numerusform>
        </translation>
    </message>
    <message>
        <source>not analysed yet</source>
        <translation>noch nicht analysiert</translation>
    </message>
    <message>
        <source>in %1 → out %2</source>
        <translation>Eingang %1 → Ausgang %2</translation>
    </message>
    <message>
        <source>in, out: mixed</source>
        <translation>Eingang, Ausgang: gemischt</translation>
    </message>
    <message>
        <source>Measuring…</source>
        <translation>Wird gemessen …</translation>
    </message>
</context>
<context>
    <name>bdq::InspectorSqnr</name>
    <message>
        <source>%1 … %2</source>
        <translation>%1 … %2</translation>
    </message>
    <message>
        <source>measured</source>
        <translation>gemessen</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>rounding</source>
        <translation>Rundung</translation>
    </message>
    <message>
        <source>SQNR (dB)</source>
        <translation>SQNR (dB)</translation>
    </message>
    <message>
        <source> (%1 of %2 rows)</source>
        <translation> (%1 von %2 Zeilen)</translation>
    </message>
    <message>
        <source>Share of the loss</source>
        <translation>Anteil am Verlust</translation>
    </message>
    <message>
        <source>SQNR predicted (dB)</source>
        <translation>SQNR vorhergesagt (dB)</translation>
    </message>
    <message>
        <source>SQNR of a token (dB)</source>
        <translation>SQNR eines Tokens (dB)</translation>
    </message>
    <message>
        <source>Energy in top 0.5 % of tokens</source>
        <translation>Energie in den stärksten 0,5 % der Token</translation>
    </message>
    <message>
        <source>SQNR measured (dB)</source>
        <translation>SQNR gemessen (dB)</translation>
    </message>
    <message>
        <source>predicted: %1</source>
        <translation>vorhergesagt: %1</translation>
    </message>
    <message>
        <source>not ranked</source>
        <translation>ohne Rangfolge</translation>
    </message>
    <message>
        <source>%1, %2 nats</source>
        <translation>%1, %2 nats</translation>
    </message>
    <message>
        <source>, #%1</source>
        <translation>, Platz %1</translation>
    </message>
    <message>
        <source>%1, 5 % below %2</source>
        <translation>%1, 5 % unter %2</translation>
    </message>
    <message>
        <source>1 row not measured with these bits</source>
        <translation>1 Zeile mit diesen Bits nicht gemessen</translation>
    </message>
    <message numerus="yes">
        <source>%n rows not measured with these bits</source>
        <translation>
            <numerusform>%n Zeile mit diesen Bits nicht gemessen</numerusform>
            <numerusform>%n Zeilen mit diesen Bits nicht gemessen</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>bdq::JobClient</name>
    <message>
        <source>%1: the worker program cannot be started: %2</source>
        <translation>%1: Das Arbeitsprogramm lässt sich nicht starten: %2</translation>
    </message>
    <message>
        <source>a line from the worker is longer than %1 bytes</source>
        <translation>eine Zeile des Arbeitsprogramms ist länger als %1 Byte</translation>
    </message>
    <message>
        <source>%1 speaks worker protocol %2, this window speaks %3</source>
        <translation>%1 spricht Protokoll %2, dieses Fenster spricht %3</translation>
    </message>
    <message>
        <source>the worker was killed (SIGKILL): probably out of host memory</source>
        <translation>das Arbeitsprogramm wurde abgebrochen (SIGKILL): vermutlich fehlte Arbeitsspeicher</translation>
    </message>
    <message>
        <source>the worker crashed (%1)</source>
        <translation>das Arbeitsprogramm ist abgestürzt (%1)</translation>
    </message>
    <message>
        <source>the worker ended with exit code %1 and without saying how the job went</source>
        <translation>das Arbeitsprogramm endete mit Code %1, ohne zu sagen, wie der Auftrag ausging</translation>
    </message>
    <message>
        <source> (its last line was cut off after %1 bytes)</source>
        <translation> (seine letzte Zeile brach nach %1 Byte ab)</translation>
    </message>
    <message>
        <source>%1; its last words: %2</source>
        <translation>%1; seine letzten Worte: %2</translation>
    </message>
</context>
<context>
    <name>bdq::JobFollower</name>
    <message>
        <source>%1 cannot be written: %2</source>
        <translation>%1 kann nicht geschrieben werden: %2</translation>
    </message>
    <message>
        <source>the worker (process %1) is gone and has not said how the job went</source>
        <translation>der Arbeitsprozess (Nummer %1) ist fort und hat nicht gesagt, wie es ausging</translation>
    </message>
</context>
<context>
    <name>bdq::JobSheet</name>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
</context>
<context>
    <name>bdq::JobsPresenter</name>
    <message>
        <source>Analysis</source>
        <translation>Analyse</translation>
    </message>
    <message>
        <source>cancelling</source>
        <translation>wird abgebrochen</translation>
    </message>
    <message>
        <source>warning: %1</source>
        <translation>Warnung: %1</translation>
    </message>
    <message>
        <source>wrote %1 (%2)</source>
        <translation>%1 geschrieben (%2)</translation>
    </message>
    <message>
        <source>Losses of single sites</source>
        <translation>Verluste einzelner Stellen</translation>
    </message>
    <message>
        <source>%1, then it stops</source>
        <translation>%1, danach hält er an</translation>
    </message>
</context>
<context>
    <name>bdq::LossesSheet</name>
    <message>
        <source>Measure losses of single sites</source>
        <translation>Verluste einzelner Stellen messen</translation>
    </message>
    <message>
        <source>Quantizes one site after the other, alone, and measures how far the model&apos;s predictions move from those of the full model (KL divergence).</source>
        <translation>Quantisiert eine Stelle nach der anderen, für sich allein, und misst, wie weit sich die Vorhersagen des Modells von denen des vollen entfernen (KL-Divergenz).</translation>
    </message>
    <message>
        <source>&amp;Start measuring</source>
        <translation>Messung &amp;starten</translation>
    </message>
    <message>
        <source>%1 bits</source>
        <translation>%1 Bit</translation>
    </message>
    <message>
        <source>Sequences</source>
        <translation>Sequenzen</translation>
    </message>
    <message>
        <source>Tokens of a sequence</source>
        <translation>Token einer Sequenz</translation>
    </message>
    <message>
        <source>sequences of</source>
        <translation>Sequenzen zu</translation>
    </message>
    <message>
        <source>tokens of the text of the analysis</source>
        <translation>Token aus dem Text der Analyse</translation>
    </message>
    <message>
        <source>all, or for example 0-3,7</source>
        <translation>alle, oder zum Beispiel 0-3,7</translation>
    </message>
    <message>
        <source>What</source>
        <translation>Was</translation>
    </message>
    <message>
        <source>&amp;Layers</source>
        <translation>Schi&amp;chten</translation>
    </message>
    <message>
        <source>Weight bits</source>
        <translation>Gewichtsbits</translation>
    </message>
    <message>
        <source>&amp;Tokens</source>
        <translation>&amp;Token</translation>
    </message>
    <message>
        <source>&amp;Device</source>
        <translation>&amp;Gerät</translation>
    </message>
    <message>
        <source>%1 sites with %2 each: %3 combinations; transform: %4</source>
        <translation>%1 Stellen mit je %2: %3 Kombinationen; Transformation: %4</translation>
    </message>
    <message>
        <source>the last of the analysis</source>
        <translation>die letzte der Analyse</translation>
    </message>
    <message>
        <source>about %1</source>
        <translation>etwa %1</translation>
    </message>
    <message>
        <source>Choose at least one number of weight bits</source>
        <translation>Mindestens eine Zahl von Gewichtsbits wählen</translation>
    </message>
    <message>
        <source>time not known</source>
        <translation>Dauer nicht bekannt</translation>
    </message>
    <message>
        <source>From the time of the last measurement on this machine, else from that of the analysis</source>
        <translation>Aus der Dauer der letzten Messung auf diesem Rechner, sonst aus der der Analyse</translation>
    </message>
</context>
<context>
    <name>bdq::MainWindow</name>
    <message>
        <source>Cannot open it</source>
        <translation>Öffnen nicht möglich</translation>
    </message>
    <message>
        <source>Saved %1</source>
        <translation>%1 gespeichert</translation>
    </message>
    <message>
        <source>The session was not saved</source>
        <translation>Die Sitzung wurde nicht gespeichert</translation>
    </message>
    <message>
        <source>%1 cannot be shown</source>
        <translation>%1 lässt sich nicht anzeigen</translation>
    </message>
    <message>
        <source>The row could not be measured</source>
        <translation>Die Zeile ließ sich nicht messen</translation>
    </message>
    <message>
        <source>BDQ Studio</source>
        <translation>BDQ Studio</translation>
    </message>
    <message>
        <source>%1[*] — BDQ Studio</source>
        <translation>%1[*] — BDQ Studio</translation>
    </message>
    <message>
        <source>Ready</source>
        <translation>Bereit</translation>
    </message>
    <message>
        <source>Opening …</source>
        <translation>Wird geöffnet …</translation>
    </message>
    <message>
        <source>Measuring the selected rows …</source>
        <translation>Die ausgewählten Zeilen werden gemessen …</translation>
    </message>
    <message>
        <source>%1: cancelling</source>
        <translation>%1: wird abgebrochen</translation>
    </message>
    <message>
        <source>, %1 left</source>
        <translation>, noch %1</translation>
    </message>
    <message>
        <source>The session was not saved; close again to leave without it</source>
        <translation>Die Sitzung wurde nicht gespeichert; nochmals schließen, um sie so zu verlassen</translation>
    </message>
    <message>
        <source>A job is running</source>
        <translation>Ein Auftrag läuft</translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation>&amp;Datei</translation>
    </message>
    <message>
        <source>&amp;Open Model File…</source>
        <translation>Modelldatei ö&amp;ffnen …</translation>
    </message>
    <message>
        <source>Open &amp;Folder (Model, Analysis, Run)…</source>
        <translation>&amp;Ordner öffnen (Modell, Analyse, Lauf) …</translation>
    </message>
    <message>
        <source>Open &amp;Session…</source>
        <translation>Sit&amp;zung öffnen …</translation>
    </message>
    <message>
        <source>Open &amp;Demo</source>
        <translation>&amp;Demo öffnen</translation>
    </message>
    <message>
        <source>Open &amp;Recent</source>
        <translation>Zuletzt &amp;geöffnet</translation>
    </message>
    <message>
        <source>&amp;Save Session</source>
        <translation>Sitzung &amp;speichern</translation>
    </message>
    <message>
        <source>Save Session &amp;As…</source>
        <translation>Sitzung speichern &amp;unter …</translation>
    </message>
    <message>
        <source>&amp;Report…</source>
        <translation>Be&amp;richt …</translation>
    </message>
    <message>
        <source>&amp;Close</source>
        <translation>S&amp;chließen</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Beenden</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>&amp;Bearbeiten</translation>
    </message>
    <message>
        <source>&amp;Undo</source>
        <translation>&amp;Rückgängig</translation>
    </message>
    <message>
        <source>&amp;Redo</source>
        <translation>&amp;Wiederholen</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>Bearbeiten</translation>
    </message>
    <message>
        <source>Edit &amp;Bits of Selected Rows</source>
        <translation>&amp;Bits der ausgewählten Zeilen ändern</translation>
    </message>
    <message>
        <source>&amp;Filter Layers</source>
        <translation>Schichten &amp;filtern</translation>
    </message>
    <message>
        <source>Select All &amp;of Site</source>
        <translation>Alle einer Stelle auswä&amp;hlen</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>&amp;Ansicht</translation>
    </message>
    <message>
        <source>&amp;Next Row</source>
        <translation>&amp;Nächste Zeile</translation>
    </message>
    <message>
        <source>&amp;Previous Row</source>
        <translation>&amp;Vorige Zeile</translation>
    </message>
    <message>
        <source>&amp;Reset Zoom</source>
        <translation>&amp;Zoom zurücksetzen</translation>
    </message>
    <message>
        <source>Copy Plot as &amp;Image</source>
        <translation>Diagramm als B&amp;ild kopieren</translation>
    </message>
    <message>
        <source>Copy Plot as &amp;CSV</source>
        <translation>Diagramm als &amp;CSV kopieren</translation>
    </message>
    <message>
        <source>&amp;Language</source>
        <translation>&amp;Sprache</translation>
    </message>
    <message>
        <source>&amp;System Language</source>
        <translation>&amp;Sprache des Systems</translation>
    </message>
    <message>
        <source>The language changes when the program starts the next time.</source>
        <translation>Die Sprache wechselt beim nächsten Start des Programms.</translation>
    </message>
    <message>
        <source>&amp;Plan</source>
        <translation>&amp;Plan</translation>
    </message>
    <message>
        <source>&amp;Clear Edits of Rows</source>
        <translation>&amp;Änderungen der Zeilen verwerfen</translation>
    </message>
    <message>
        <source>&amp;Method</source>
        <translation>&amp;Methode</translation>
    </message>
    <message>
        <source>&amp;Scheme</source>
        <translation>&amp;Schema</translation>
    </message>
    <message>
        <source>&amp;Run</source>
        <translation>A&amp;usführen</translation>
    </message>
    <message>
        <source>&amp;Analyse Activations…</source>
        <translation>&amp;Aktivierungen analysieren …</translation>
    </message>
    <message>
        <source>&amp;Quantize…</source>
        <translation>&amp;Quantisieren …</translation>
    </message>
    <message>
        <source>&amp;Measure Selected Rows</source>
        <translation>Ausgewählte Zeilen &amp;messen</translation>
    </message>
    <message>
        <source>&amp;Cancel Running Job</source>
        <translation>Laufenden Auftrag &amp;abbrechen</translation>
    </message>
    <message>
        <source>R&amp;esume Selected Run</source>
        <translation>Ausgewählten Lauf &amp;fortsetzen</translation>
    </message>
    <message>
        <source>&amp;Window</source>
        <translation>&amp;Fenster</translation>
    </message>
    <message>
        <source>Window</source>
        <translation>Fenster</translation>
    </message>
    <message>
        <source>Restore &amp;Default Layout</source>
        <translation>&amp;Standardanordnung wiederherstellen</translation>
    </message>
    <message>
        <source>&amp;Full Screen</source>
        <translation>&amp;Vollbild</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>&amp;Hilfe</translation>
    </message>
    <message>
        <source>&amp;Find Layer or Action…</source>
        <translation>&amp;Schicht oder Aktion suchen …</translation>
    </message>
    <message>
        <source>&amp;Metrics and Methods</source>
        <translation>&amp;Metriken und Methoden</translation>
    </message>
    <message>
        <source>&amp;About BDQ Studio</source>
        <translation>&amp;Über BDQ Studio</translation>
    </message>
    <message>
        <source>Nothing opened yet</source>
        <translation>Noch nichts geöffnet</translation>
    </message>
    <message>
        <source>Open a model first</source>
        <translation>Zuerst ein Modell öffnen</translation>
    </message>
    <message>
        <source>Metrics</source>
        <translation>Metriken</translation>
    </message>
    <message>
        <source>Transforms</source>
        <translation>Transformationen</translation>
    </message>
    <message>
        <source>Methods</source>
        <translation>Methoden</translation>
    </message>
    <message>
        <source>Metrics and methods</source>
        <translation>Metriken und Methoden</translation>
    </message>
    <message>
        <source>About BDQ Studio</source>
        <translation>Über BDQ Studio</translation>
    </message>
    <message>
        <source>&lt;h3&gt;BDQ Studio %1&lt;/h3&gt;&lt;p&gt;Sees what quantization does to the layers of a language model, and quantizes it.&lt;/p&gt;&lt;p&gt;GPL-3.0-or-later. Uses Qt %2 and QCustomPlot.&lt;/p&gt;</source>
        <translation>&lt;h3&gt;BDQ Studio %1&lt;/h3&gt;&lt;p&gt;Zeigt, was Quantisierung mit den Schichten eines Sprachmodells macht, und quantisiert es.&lt;/p&gt;&lt;p&gt;GPL-3.0-or-later. Verwendet Qt %2 und QCustomPlot.&lt;/p&gt;</translation>
    </message>
    <message>
        <source>&amp;Compare</source>
        <translation>&amp;Vergleichen</translation>
    </message>
    <message>
        <source>&amp;Compare Runs</source>
        <translation>Läufe &amp;vergleichen</translation>
    </message>
    <message>
        <source>Compare with Run &amp;Folder…</source>
        <translation>Mit Lauf&amp;ordner vergleichen …</translation>
    </message>
    <message>
        <source>&amp;Swap Runs</source>
        <translation>Läufe &amp;tauschen</translation>
    </message>
    <message>
        <source>The run cannot be compared</source>
        <translation>Der Lauf lässt sich nicht vergleichen</translation>
    </message>
    <message>
        <source>Run Folder to Compare With</source>
        <translation>Ordner des Laufs zum Vergleichen</translation>
    </message>
    <message>
        <source>What the workers write while they work appears here.</source>
        <translation>Was die Arbeitsprogramme bei der Arbeit schreiben, erscheint hier.</translation>
    </message>
    <message>
        <source>Plan</source>
        <translation>Plan</translation>
    </message>
    <message>
        <source>Runs</source>
        <translation>Läufe</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>Vergleich</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>Protokoll</translation>
    </message>
    <message>
        <source>Output Folder</source>
        <translation>Ausgabeordner</translation>
    </message>
    <message>
        <source>Text File</source>
        <translation>Textdatei</translation>
    </message>
    <message>
        <source>Text (*.txt *.md *.raw);;All files (*)</source>
        <translation>Text (*.txt *.md *.raw);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Analysis of %1</source>
        <translation>Analyse von %1</translation>
    </message>
    <message>
        <source>Run %1 %2</source>
        <translation>Lauf %1 %2</translation>
    </message>
    <message>
        <source>A row of the analysis cannot be read</source>
        <translation>Eine Zeile der Analyse ist nicht lesbar</translation>
    </message>
    <message>
        <source>%1 finished in %2</source>
        <translation>%1 nach %2 fertig</translation>
    </message>
    <message>
        <source>Report…</source>
        <translation>Bericht …</translation>
    </message>
    <message>
        <source>Compare with…</source>
        <translation>Vergleichen mit …</translation>
    </message>
    <message>
        <source>Open folder</source>
        <translation>Ordner öffnen</translation>
    </message>
    <message>
        <source>*%1 more rows in the saved report*</source>
        <translation>*%1 weitere Zeilen im gespeicherten Bericht*</translation>
    </message>
    <message>
        <source>No preview</source>
        <translation>Keine Vorschau</translation>
    </message>
    <message>
        <source>Report saved as %1</source>
        <translation>Bericht als %1 gespeichert</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>Fewer or shorter calibration sequences need less memory; so does the CPU instead of a small GPU.</source>
        <translation>Weniger oder kürzere Kalibriersequenzen brauchen weniger Speicher; ebenso die CPU statt einer kleinen GPU.</translation>
    </message>
    <message>
        <source>Choose a longer text, fewer or shorter sequences, or let the model write the text itself.</source>
        <translation>Einen längeren Text wählen, weniger oder kürzere Sequenzen, oder das Modell den Text selbst schreiben lassen.</translation>
    </message>
    <message>
        <source>Free some space or choose another output folder; a run can then be resumed.</source>
        <translation>Platz schaffen oder einen anderen Ausgabeordner wählen; ein Lauf lässt sich dann fortsetzen.</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>analysis of %1</source>
        <translation>Analyse von %1</translation>
    </message>
    <message>
        <source>Save Report</source>
        <translation>Bericht speichern</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>Bericht</translation>
    </message>
    <message>
        <source>The report was not written</source>
        <translation>Der Bericht wurde nicht geschrieben</translation>
    </message>
    <message>
        <source>Report preview</source>
        <translation>Vorschau des Berichts</translation>
    </message>
    <message>
        <source>Open Model</source>
        <translation>Modell öffnen</translation>
    </message>
    <message>
        <source>Models (*.gguf *.safetensors *.safetensors.index.json);;All files (*)</source>
        <translation>Modelle (*.gguf *.safetensors *.safetensors.index.json);;Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Open Model, Analysis or Run Folder</source>
        <translation>Modell-, Analyse- oder Laufordner öffnen</translation>
    </message>
    <message>
        <source>Open Session</source>
        <translation>Sitzung öffnen</translation>
    </message>
    <message>
        <source>BDQ Studio sessions (*.bdqsession)</source>
        <translation>Sitzungen von BDQ Studio (*.bdqsession)</translation>
    </message>
    <message>
        <source>The demo model %1 is not here yet. Running “bash resources/demo.sh” in the source folder fetches it; or set BDQ_DEMO_MODEL to its path.</source>
        <translation>Das Demomodell %1 ist noch nicht da. „bash resources/demo.sh“ im Quellordner holt es; oder BDQ_DEMO_MODEL auf seinen Pfad setzen.</translation>
    </message>
    <message>
        <source>No demo model</source>
        <translation>Kein Demomodell</translation>
    </message>
    <message>
        <source>SmolLM2-135M: opens the model and analyses it on text it writes itself</source>
        <translation>SmolLM2-135M: öffnet das Modell und analysiert es an selbst erzeugtem Text</translation>
    </message>
    <message>
        <source>SmolLM2-135M is fetched by resources/demo.sh</source>
        <translation>SmolLM2-135M wird von resources/demo.sh geholt</translation>
    </message>
    <message>
        <source>The analysis was not started</source>
        <translation>Die Analyse wurde nicht gestartet</translation>
    </message>
    <message>
        <source>Save Session</source>
        <translation>Sitzung speichern</translation>
    </message>
    <message>
        <source>Save Plot</source>
        <translation>Diagramm speichern</translation>
    </message>
    <message>
        <source>The plot was not saved</source>
        <translation>Das Diagramm wurde nicht gespeichert</translation>
    </message>
    <message>
        <source>Losses of single sites of %1</source>
        <translation>Verluste einzelner Stellen von %1</translation>
    </message>
    <message>
        <source>&amp;Lock Selected Rows</source>
        <translation>Ausgewählte Zeilen &amp;sperren</translation>
    </message>
    <message>
        <source>&amp;Unlock Selected Rows</source>
        <translation>Ausgewählte Zeilen &amp;entsperren</translation>
    </message>
    <message>
        <source>Losses measured: rows are ranked, and the slider of average bits weighs, by what the whole model loses at every site</source>
        <translation>Verluste gemessen: Rangfolge und Regler der mittleren Bits gehen nach dem, was das ganze Modell an jeder Stelle verliert</translation>
    </message>
    <message>
        <source>, then it stops</source>
        <translation>, danach hält er an</translation>
    </message>
    <message>
        <source>listed only</source>
        <translation>nur aufgelistet</translation>
    </message>
    <message>
        <source>Save Session &amp;with Results…</source>
        <translation>Sitzung &amp;mit Ergebnissen speichern …</translation>
    </message>
    <message>
        <source>Results Fol&amp;der…</source>
        <translation>Er&amp;gebnisordner …</translation>
    </message>
    <message>
        <source>Measure &amp;Losses of Single Sites…</source>
        <translation>&amp;Verluste einzelner Stellen messen …</translation>
    </message>
    <message>
        <source>Measure Losses</source>
        <translation>Verluste messen</translation>
    </message>
    <message>
        <source>A run that is stopped keeps its finished layers and can be resumed.</source>
        <translation>Ein angehaltener Lauf behält seine fertigen Schichten und kann fortgesetzt werden.</translation>
    </message>
    <message>
        <source>An analysis or a measurement of losses cannot be resumed: stopping gives up what it has done.</source>
        <translation>Eine Analyse oder eine Messung von Verlusten kann nicht fortgesetzt werden: Anhalten gibt auf, was sie getan hat.</translation>
    </message>
    <message>
        <source>One more job waits. It stays in the list of runs and can be started from there.</source>
        <translation>Ein weiterer Auftrag wartet. Er bleibt in der Liste der Läufe und kann von dort gestartet werden.</translation>
    </message>
    <message numerus="yes">
        <source>%n more jobs wait. They stay in the list of runs and can be started from there.</source>
        <translation>
            <numerusform>%n weiterer Auftrag wartet. Er bleibt in der Liste der Läufe und kann von dort gestartet werden.</numerusform>
            <numerusform>%n weitere Aufträge warten. Sie bleiben in der Liste der Läufe und können von dort gestartet werden.</numerusform>
        </translation>
    </message>
    <message>
        <source>Still running: %1</source>
        <translation>Es läuft noch: %1</translation>
    </message>
    <message>
        <source>&amp;Keep running in the background</source>
        <translation>Im &amp;Hintergrund weiterlaufen lassen</translation>
    </message>
    <message>
        <source>Stop &amp;after this layer</source>
        <translation>&amp;Nach dieser Schicht anhalten</translation>
    </message>
    <message>
        <source>Stay &amp;here</source>
        <translation>Hier&amp;bleiben</translation>
    </message>
    <message>
        <source>Perplexity %1, %2</source>
        <translation>Perplexität %1, %2</translation>
    </message>
    <message>
        <source>perplexity %1</source>
        <translation>Perplexität %1</translation>
    </message>
    <message>
        <source>It was not started</source>
        <translation>Es wurde nicht gestartet</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>Move %1 to the trash?</source>
        <translation>%1 in den Papierkorb verschieben?</translation>
    </message>
    <message>
        <source>The folder %1 with everything in it.</source>
        <translation>Der Ordner %1 mit allem darin.</translation>
    </message>
    <message>
        <source>Move to &amp;trash</source>
        <translation>In den &amp;Papierkorb</translation>
    </message>
    <message>
        <source>&amp;Keep</source>
        <translation>&amp;Behalten</translation>
    </message>
    <message>
        <source>Delete for good</source>
        <translation>Endgültig löschen</translation>
    </message>
    <message>
        <source>%1 cannot be moved to the trash: there is none on its disk</source>
        <translation>%1 kann nicht in den Papierkorb: auf dem Datenträger gibt es keinen</translation>
    </message>
    <message>
        <source>%1 cannot be deleted as a whole</source>
        <translation>%1 kann nicht ganz gelöscht werden</translation>
    </message>
    <message>
        <source>A job waits since this model was open last</source>
        <translation>Ein Auftrag wartet, seit dieses Modell zuletzt offen war</translation>
    </message>
    <message numerus="yes">
        <source>%n jobs wait since this model was open last</source>
        <translation>
            <numerusform>%n Auftrag wartet, seit dieses Modell zuletzt offen war</numerusform>
            <numerusform>%n Aufträge warten, seit dieses Modell zuletzt offen war</numerusform>
        </translation>
    </message>
    <message>
        <source>Start it</source>
        <translation>Starten</translation>
    </message>
    <message>
        <source>Start them</source>
        <translation>Alle starten</translation>
    </message>
    <message>
        <source>Continued where you left: %1</source>
        <translation>Weiter, wo Sie aufgehört haben: %1</translation>
    </message>
    <message>
        <source>, 1 row with bits of its own</source>
        <translation>, 1 Zeile mit eigenen Bits</translation>
    </message>
    <message numerus="yes">
        <source>, %n rows with bits of their own</source>
        <translation>
            <numerusform>, %n Zeile mit eigenen Bits</numerusform>
            <numerusform>, %n Zeilen mit eigenen Bits</numerusform>
        </translation>
    </message>
    <message>
        <source>Start fresh</source>
        <translation>Neu anfangen</translation>
    </message>
    <message>
        <source>The run is shown; your plan stays as it is</source>
        <translation>Der Lauf wird gezeigt; Ihr Plan bleibt, wie er ist</translation>
    </message>
    <message>
        <source>Take over its plan</source>
        <translation>Seinen Plan übernehmen</translation>
    </message>
    <message>
        <source>Plan of a run</source>
        <translation>Plan eines Laufs</translation>
    </message>
    <message>
        <source>Locate…</source>
        <translation>Suchen …</translation>
    </message>
    <message>
        <source>Locate the Model</source>
        <translation>Modell suchen</translation>
    </message>
    <message>
        <source>Locate the Analysis or Run Folder</source>
        <translation>Ordner der Analyse oder des Laufs suchen</translation>
    </message>
    <message>
        <source>This model is listed only: its RoPE scaling “%1” is not computed.</source>
        <translation>Dieses Modell wird nur aufgelistet: seine RoPE-Skalierung „%1“ wird nicht berechnet.</translation>
    </message>
    <message>
        <source>This model is listed only: its architecture “%1” is not computed. Computed are %2.</source>
        <translation>Dieses Modell wird nur aufgelistet: seine Architektur „%1“ wird nicht berechnet. Berechnet werden %2.</translation>
    </message>
    <message>
        <source>This model is listed only: a mixture of experts (“%1”) is not computed. A row “gate, up” or “down” stands for the %2 experts of its layer. Computed are %3.</source>
        <translation>Dieses Modell wird nur aufgelistet: eine Mischung von Experten („%1“) wird nicht berechnet. Eine Zeile „gate, up“ oder „down“ steht für die %2 Experten ihrer Schicht. Berechnet werden %3.</translation>
    </message>
    <message>
        <source>Folder for Results</source>
        <translation>Ordner für Ergebnisse</translation>
    </message>
    <message>
        <source>New results go to %1; those so far stay where they are</source>
        <translation>Neue Ergebnisse kommen nach %1; die bisherigen bleiben, wo sie sind</translation>
    </message>
    <message>
        <source>Save Session with Results</source>
        <translation>Sitzung mit Ergebnissen speichern</translation>
    </message>
</context>
<context>
    <name>bdq::MeasuredSource</name>
    <message>
        <source>analysis</source>
        <translation>Analyse</translation>
    </message>
    <message>
        <source>live</source>
        <translation>live</translation>
    </message>
    <message>
        <source>nearest, ranges from the extremes</source>
        <translation>nächster Code, Bereiche aus den Extremen</translation>
    </message>
    <message>
        <source>nearest with range search</source>
        <translation>nächster Code mit Bereichssuche</translation>
    </message>
    <message>
        <source>nearest with range search; ranges by output error gain more</source>
        <translation>nächster Code mit Bereichssuche; Bereiche nach dem Fehler der Ausgabe bringen mehr</translation>
    </message>
    <message>
        <source>nearest with range search; GPTQ gains more</source>
        <translation>nächster Code mit Bereichssuche; GPTQ bringt mehr</translation>
    </message>
    <message>
        <source>nearest, ranges from the extremes: this analysis knows no range search</source>
        <translation>nächster Code, Bereiche aus den Extremen: diese Analyse kennt keine Bereichssuche</translation>
    </message>
</context>
<context>
    <name>bdq::MessageBar</name>
    <message>
        <source>Information</source>
        <translation>Hinweis</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>Fertig</translation>
    </message>
    <message>
        <source>Warning</source>
        <translation>Warnung</translation>
    </message>
    <message>
        <source>Error</source>
        <translation>Fehler</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>Einzelheiten</translation>
    </message>
    <message>
        <source>Dismiss (Esc)</source>
        <translation>Verwerfen (Esc)</translation>
    </message>
    <message>
        <source>Dismiss</source>
        <translation>Verwerfen</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation>%1: %2</translation>
    </message>
    <message>
        <source>The whole message</source>
        <translation>Die ganze Meldung</translation>
    </message>
    <message>
        <source>All messages since the start</source>
        <translation>Alle Meldungen seit dem Start</translation>
    </message>
    <message>
        <source>All messages</source>
        <translation>Alle Meldungen</translation>
    </message>
</context>
<context>
    <name>bdq::MessagePopup</name>
    <message>
        <source>Details of the message</source>
        <translation>Einzelheiten der Meldung</translation>
    </message>
    <message>
        <source>%1, %2</source>
        <translation>%1, %2</translation>
    </message>
</context>
<context>
    <name>bdq::PathEdit</name>
    <message>
        <source>Browse…</source>
        <translation>Durchsuchen …</translation>
    </message>
    <message>
        <source>Browse: %1</source>
        <translation>Durchsuchen: %1</translation>
    </message>
</context>
<context>
    <name>bdq::PlanController</name>
    <message>
        <source>Bits of 1 row</source>
        <translation>Bits von 1 Zeile</translation>
    </message>
    <message numerus="yes">
        <source>Bits of %n rows</source>
        <translation>
            <numerusform>Bits von %n Zeile</numerusform>
            <numerusform>Bits von %n Zeilen</numerusform>
        </translation>
    </message>
    <message>
        <source>Bits of layers %1</source>
        <translation>Bits der Schichten %1</translation>
    </message>
    <message>
        <source>Scheme %1</source>
        <translation>Schema %1</translation>
    </message>
    <message>
        <source>Clear edits of rows</source>
        <translation>Änderungen der Zeilen verwerfen</translation>
    </message>
    <message>
        <source>Transform of 1 row</source>
        <translation>Transformation von 1 Zeile</translation>
    </message>
    <message numerus="yes">
        <source>Transform of %n rows</source>
        <translation>
            <numerusform>Transformation von %n Zeile</numerusform>
            <numerusform>Transformation von %n Zeilen</numerusform>
        </translation>
    </message>
    <message>
        <source>Method</source>
        <translation>Methode</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>Voreinstellung</translation>
    </message>
    <message>
        <source>Weight rounding</source>
        <translation>Gewichtsrundung</translation>
    </message>
    <message>
        <source>Average of %1 bit</source>
        <translation>Im Mittel %1 Bit</translation>
    </message>
    <message numerus="yes">
        <source>Lock %n rows</source>
        <translation>
            <numerusform>%n Zeile sperren</numerusform>
            <numerusform>%n Zeilen sperren</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Unlock %n rows</source>
        <translation>
            <numerusform>%n Zeile entsperren</numerusform>
            <numerusform>%n Zeilen entsperren</numerusform>
        </translation>
    </message>
    <message>
        <source>Bit widths to choose from</source>
        <translation>Bitbreiten zur Wahl</translation>
    </message>
    <message>
        <source>Lock 1 row</source>
        <translation>1 Zeile sperren</translation>
    </message>
    <message>
        <source>Unlock 1 row</source>
        <translation>1 Zeile entsperren</translation>
    </message>
</context>
<context>
    <name>bdq::PlanPanel</name>
    <message>
        <source>Bits of weights</source>
        <translation>Bits der Gewichte</translation>
    </message>
    <message>
        <source>Bits of activations</source>
        <translation>Bits der Aktivierungen</translation>
    </message>
    <message>
        <source>Bits of the KV cache</source>
        <translation>Bits des KV-Cache</translation>
    </message>
    <message>
        <source>Method</source>
        <translation>Methode</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>Voreinstellung</translation>
    </message>
    <message>
        <source>Weight rounding</source>
        <translation>Gewichtsrundung</translation>
    </message>
    <message>
        <source>Roundin&amp;g</source>
        <translation>&amp;Rundung</translation>
    </message>
    <message>
        <source>&amp;Method</source>
        <translation>&amp;Methode</translation>
    </message>
    <message>
        <source>&amp;Whole model</source>
        <translation>&amp;Ganzes Modell</translation>
    </message>
    <message>
        <source>0-3,7</source>
        <translation>0-3,7</translation>
    </message>
    <message>
        <source>Layers to change, counted from 0: single numbers and ranges, for example 0-3,7</source>
        <translation>Zu ändernde Schichten, ab 0 gezählt: einzelne Zahlen und Bereiche, zum Beispiel 0-3,7</translation>
    </message>
    <message>
        <source>Layers to change</source>
        <translation>Zu ändernde Schichten</translation>
    </message>
    <message>
        <source>&amp;Apply</source>
        <translation>&amp;Anwenden</translation>
    </message>
    <message>
        <source>to layers</source>
        <translation>Nr.</translation>
    </message>
    <message>
        <source>So&amp;me layers</source>
        <translation>&amp;Schichten</translation>
    </message>
    <message>
        <source>Reset rows</source>
        <translation>Zeilen zurücksetzen</translation>
    </message>
    <message>
        <source>All rows take the bits of the whole model again</source>
        <translation>Alle Zeilen nehmen wieder die Bits des ganzen Modells an</translation>
    </message>
    <message>
        <source>&amp;Start run…</source>
        <translation>Lauf &amp;starten …</translation>
    </message>
    <message>
        <source>Open a model first</source>
        <translation>Zuerst ein Modell öffnen</translation>
    </message>
    <message>
        <source>1 row differs</source>
        <translation>1 Zeile weicht ab</translation>
    </message>
    <message numerus="yes">
        <source>%n rows differ</source>
        <translation>
            <numerusform>%n Zeile weicht ab</numerusform>
            <numerusform>%n Zeilen weichen ab</numerusform>
        </translation>
    </message>
    <message>
        <source>A&amp;verage bits</source>
        <translation>Bits im M&amp;ittel</translation>
    </message>
    <message>
        <source>average %1</source>
        <translation>im Mittel %1</translation>
    </message>
    <message>
        <source>Total</source>
        <translation>Gesamt</translation>
    </message>
</context>
<context>
    <name>bdq::PlotPanel</name>
    <message>
        <source>Reset view</source>
        <translation>Ansicht zurücksetzen</translation>
    </message>
    <message>
        <source>Copy image</source>
        <translation>Bild kopieren</translation>
    </message>
    <message>
        <source>Copy data as CSV</source>
        <translation>Daten als CSV kopieren</translation>
    </message>
    <message>
        <source>Save as PNG…</source>
        <translation>Als PNG speichern …</translation>
    </message>
    <message>
        <source>Save as SVG…</source>
        <translation>Als SVG speichern …</translation>
    </message>
    <message>
        <source>Save as PDF…</source>
        <translation>Als PDF speichern …</translation>
    </message>
    <message>
        <source>Save data as CSV…</source>
        <translation>Daten als CSV speichern …</translation>
    </message>
    <message>
        <source>Show all of the plot (Home)</source>
        <translation>Das ganze Diagramm zeigen (Pos1)</translation>
    </message>
    <message>
        <source>Copy the plot</source>
        <translation>Diagramm kopieren</translation>
    </message>
    <message>
        <source>Save the plot</source>
        <translation>Diagramm speichern</translation>
    </message>
</context>
<context>
    <name>bdq::ReportPanel</name>
    <message>
        <source>&amp;HTML</source>
        <translation>&amp;HTML</translation>
    </message>
    <message>
        <source>One self-contained page with plots, for reading and sending.</source>
        <translation>Eine eigenständige Seite mit Diagrammen, zum Lesen und Verschicken.</translation>
    </message>
    <message>
        <source>&amp;Markdown</source>
        <translation>&amp;Markdown</translation>
    </message>
    <message>
        <source>Tables as text, for wikis and pull requests.</source>
        <translation>Tabellen als Text, für Wikis und Pull-Requests.</translation>
    </message>
    <message>
        <source>&amp;CSV</source>
        <translation>&amp;CSV</translation>
    </message>
    <message>
        <source>The per-layer table, for spreadsheets.</source>
        <translation>Die Tabelle der Schichten, für Tabellenprogramme.</translation>
    </message>
    <message>
        <source>&amp;JSON</source>
        <translation>&amp;JSON</translation>
    </message>
    <message>
        <source>Every number with full precision, for scripts.</source>
        <translation>Jede Zahl in voller Genauigkeit, für Skripte.</translation>
    </message>
    <message>
        <source>Transforms compared</source>
        <translation>Transformationen im Vergleich</translation>
    </message>
    <message>
        <source>Across the layers (plots)</source>
        <translation>Über die Schichten (Diagramme)</translation>
    </message>
    <message>
        <source>Worst sites</source>
        <translation>Schlechteste Stellen</translation>
    </message>
    <message>
        <source>Predicted and measured (plots)</source>
        <translation>Vorhergesagt und gemessen (Diagramme)</translation>
    </message>
    <message>
        <source>Every layer and site</source>
        <translation>Jede Schicht und Stelle</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Model and text</source>
        <translation>Modell und Text</translation>
    </message>
    <message>
        <source>Definitions</source>
        <translation>Definitionen</translation>
    </message>
    <message>
        <source>How to reproduce</source>
        <translation>Wiederholen des Laufs</translation>
    </message>
    <message>
        <source>Preview of the report</source>
        <translation>Vorschau des Berichts</translation>
    </message>
    <message>
        <source>&amp;Save report…</source>
        <translation>Bericht &amp;speichern …</translation>
    </message>
    <message>
        <source>Sections of the report</source>
        <translation>Abschnitte des Berichts</translation>
    </message>
    <message>
        <source>Ticked sections go into the report.</source>
        <translation>Angekreuzte Abschnitte kommen in den Bericht.</translation>
    </message>
    <message>
        <source>Report of %1</source>
        <translation>Bericht über %1</translation>
    </message>
    <message>
        <source>Nothing to report yet</source>
        <translation>Noch nichts zu berichten</translation>
    </message>
    <message>
        <source>Finish an analysis or a run; its report with settings, definitions, per-layer table and plots is written from here.</source>
        <translation>Eine Analyse oder einen Lauf abschließen; der Bericht mit Einstellungen, Definitionen, Tabelle der Schichten und Diagrammen wird von hier aus geschrieben.</translation>
    </message>
    <message>
        <source>The preview appears here.</source>
        <translation>Die Vorschau erscheint hier.</translation>
    </message>
    <message>
        <source>Writing…</source>
        <translation>Wird geschrieben …</translation>
    </message>
</context>
<context>
    <name>bdq::RowCurvesPlot</name>
    <message>
        <source>layer</source>
        <translation>Schicht</translation>
    </message>
    <message>
        <source>dB</source>
        <translation>dB</translation>
    </message>
    <message>
        <source>SQNR (dB)</source>
        <translation>SQNR (dB)</translation>
    </message>
</context>
<context>
    <name>bdq::RunCompareModel</name>
    <message>
        <source>%1 dB</source>
        <translation>%1 dB</translation>
    </message>
    <message>
        <source>SQNR of B minus SQNR of A in dB; positive = B is better.</source>
        <translation>SQNR von B minus SQNR von A in dB; positiv = B ist besser.</translation>
    </message>
    <message>
        <source>#</source>
        <translation>#</translation>
    </message>
    <message>
        <source>Site</source>
        <translation>Stelle</translation>
    </message>
    <message>
        <source>Bits A</source>
        <translation>Bits A</translation>
    </message>
    <message>
        <source>Bits B</source>
        <translation>Bits B</translation>
    </message>
    <message>
        <source>A (dB)</source>
        <translation>A (dB)</translation>
    </message>
    <message>
        <source>B (dB)</source>
        <translation>B (dB)</translation>
    </message>
    <message>
        <source>B − A</source>
        <translation>B − A</translation>
    </message>
    <message>
        <source>Method</source>
        <translation>Methode</translation>
    </message>
    <message>
        <source>Scheme</source>
        <translation>Schema</translation>
    </message>
    <message>
        <source>Weight rounding</source>
        <translation>Gewichtsrundung</translation>
    </message>
    <message>
        <source>Average weight bits</source>
        <translation>Mittlere Gewichtsbits</translation>
    </message>
    <message>
        <source>Perplexity before</source>
        <translation>Perplexität vorher</translation>
    </message>
    <message>
        <source>Perplexity after</source>
        <translation>Perplexität nachher</translation>
    </message>
    <message>
        <source>Mean SQNR (dB)</source>
        <translation>Mittleres SQNR (dB)</translation>
    </message>
    <message>
        <source>Time (s)</source>
        <translation>Zeit (s)</translation>
    </message>
    <message>
        <source>The runs are of different models: the numbers do not compare.</source>
        <translation>Die Läufe gehören zu verschiedenen Modellen: Die Zahlen sind nicht vergleichbar.</translation>
    </message>
    <message>
        <source>The SQNR was measured on different calibration tokens.</source>
        <translation>Das SQNR wurde an verschiedenen Kalibriertoken gemessen.</translation>
    </message>
    <message>
        <source>The perplexities are of different texts and do not compare.</source>
        <translation>Die Perplexitäten gehören zu verschiedenen Texten und sind nicht vergleichbar.</translation>
    </message>
    <message>
        <source>The perplexities are over different windows and do not compare.</source>
        <translation>Die Perplexitäten gehen über verschiedene Fenster und sind nicht vergleichbar.</translation>
    </message>
</context>
<context>
    <name>bdq::RunListModel</name>
    <message>
        <source>queued</source>
        <translation>wartet</translation>
    </message>
    <message>
        <source>running</source>
        <translation>läuft</translation>
    </message>
    <message>
        <source>finished</source>
        <translation>fertig</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>gescheitert</translation>
    </message>
    <message>
        <source>cancelled</source>
        <translation>abgebrochen</translation>
    </message>
    <message>
        <source>%1 %</source>
        <translation>%1 %</translation>
    </message>
    <message>
        <source>estimating</source>
        <translation>wird geschätzt</translation>
    </message>
    <message>
        <source>%1 left</source>
        <translation>noch %1</translation>
    </message>
    <message>
        <source>Perplexity of the model as it is: %1; quantized: %2. Lower is better.</source>
        <translation>Perplexität des Modells, wie es ist: %1; quantisiert: %2. Weniger ist besser.</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>Lauf</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Zustand</translation>
    </message>
    <message>
        <source>Method</source>
        <translation>Methode</translation>
    </message>
    <message>
        <source>Scheme</source>
        <translation>Schema</translation>
    </message>
    <message>
        <source>Perplexity</source>
        <translation>Perplexität</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>Fortschritt</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message>
        <source>waits to be started</source>
        <translation>wartet auf den Start</translation>
    </message>
    <message>
        <source>cancelled, can be resumed</source>
        <translation>abgebrochen, fortsetzbar</translation>
    </message>
    <message>
        <source>waiting</source>
        <translation>wartet</translation>
    </message>
    <message>
        <source>resumable</source>
        <translation>fortsetzbar</translation>
    </message>
</context>
<context>
    <name>bdq::RunPanel</name>
    <message>
        <source>Runs appear here with their progress, live results and log.

Choose bits and a method in the plan, then Start run.</source>
        <translation>Läufe erscheinen hier mit Fortschritt, Zwischenergebnissen und Protokoll.

Im Plan Bits und eine Methode wählen, dann Lauf starten.</translation>
    </message>
    <message>
        <source>Runs</source>
        <translation>Läufe</translation>
    </message>
    <message>
        <source>&amp;Cancel run</source>
        <translation>&amp;Abbrechen</translation>
    </message>
    <message>
        <source>Res&amp;ume</source>
        <translation>&amp;Fortsetzen</translation>
    </message>
    <message>
        <source>Re&amp;port…</source>
        <translation>Be&amp;richt …</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>Fortschritt</translation>
    </message>
    <message>
        <source>The worker&apos;s log appears here.</source>
        <translation>Das Protokoll des Arbeitsprogramms erscheint hier.</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>Protokoll</translation>
    </message>
    <message>
        <source>Live SQNR</source>
        <translation>SQNR laufend</translation>
    </message>
    <message>
        <source>Select a run</source>
        <translation>Einen Lauf auswählen</translation>
    </message>
    <message>
        <source>Ope&amp;n</source>
        <translation>Ö&amp;ffnen</translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation>Entfernen …</translation>
    </message>
    <message>
        <source>&amp;Start</source>
        <translation>&amp;Starten</translation>
    </message>
    <message>
        <source>F&amp;older</source>
        <translation>&amp;Ordner</translation>
    </message>
</context>
<context>
    <name>bdq::RunRowsPlot</name>
    <message>
        <source>SQNR of a run&apos;s sites across layers</source>
        <translation>SQNR der Stellen eines Laufs über die Schichten</translation>
    </message>
    <message>
        <source>SQNR of every quantized layer appears here while the run goes on.</source>
        <translation>Das SQNR jeder quantisierten Schicht erscheint hier, während der Lauf arbeitet.</translation>
    </message>
    <message>
        <source>%1   %2   %3 dB</source>
        <translation>%1   %2   %3 dB</translation>
    </message>
</context>
<context>
    <name>bdq::RunSheet</name>
    <message>
        <source>Start a run</source>
        <translation>Einen Lauf starten</translation>
    </message>
    <message>
        <source>&amp;Start run</source>
        <translation>Lauf &amp;starten</translation>
    </message>
    <message>
        <source>&amp;Method</source>
        <translation>&amp;Methode</translation>
    </message>
    <message>
        <source>&amp;Preset</source>
        <translation>&amp;Voreinstellung</translation>
    </message>
    <message>
        <source>Sc&amp;heme</source>
        <translation>Sc&amp;hema</translation>
    </message>
    <message>
        <source>Weight &amp;rounding</source>
        <translation>Gewichts&amp;rundung</translation>
    </message>
    <message>
        <source>&amp;Layers</source>
        <translation>Schi&amp;chten</translation>
    </message>
    <message>
        <source>&amp;Calibration</source>
        <translation>&amp;Kalibrierung</translation>
    </message>
    <message>
        <source>&amp;Device</source>
        <translation>&amp;Gerät</translation>
    </message>
    <message>
        <source>Run &amp;folder</source>
        <translation>Lauf&amp;ordner</translation>
    </message>
    <message>
        <source>Bits of weights, activations and KV cache, for example W4A4KV4 or W4A16:g128. 16 = untouched.</source>
        <translation>Bits der Gewichte, Aktivierungen und des KV-Cache, zum Beispiel W4A4KV4 oder W4A16:g128. 16 = unverändert.</translation>
    </message>
    <message>
        <source>all, or for example 0-3,7</source>
        <translation>alle, oder zum Beispiel 0-3,7</translation>
    </message>
    <message>
        <source>Run folder</source>
        <translation>Laufordner</translation>
    </message>
    <message>
        <source>Measure perplexity before and after</source>
        <translation>Perplexität vorher und nachher messen</translation>
    </message>
    <message>
        <source>Evaluation text</source>
        <translation>Auswertungstext</translation>
    </message>
    <message>
        <source>Tokens per window</source>
        <translation>Token je Fenster</translation>
    </message>
    <message>
        <source>all</source>
        <translation>alle</translation>
    </message>
    <message>
        <source>Windows</source>
        <translation>Fenster</translation>
    </message>
    <message>
        <source>windows ×</source>
        <translation>Fenster ×</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>&amp;Evaluation</source>
        <translation>&amp;Auswertung</translation>
    </message>
    <message>
        <source>1 row of the plan keeps its own bits.</source>
        <translation>1 Zeile des Plans behält eigene Bits.</translation>
    </message>
    <message numerus="yes">
        <source>%n rows of the plan keep their own bits.</source>
        <translation>
            <numerusform>%n Zeile des Plans behält eigene Bits.</numerusform>
            <numerusform>%n Zeilen des Plans behalten eigene Bits.</numerusform>
        </translation>
    </message>
    <message>
        <source>One block in fp32 with its statistics and the hidden states of the calibration text. The %1 weights stay in their file.</source>
        <translation>Ein Block in fp32 mit seinen Statistiken und den verborgenen Zuständen des Kalibriertexts. Die %1 Gewichte bleiben in ihrer Datei.</translation>
    </message>
    <message>
        <source>&amp;Training</source>
        <translation>&amp;Training</translation>
    </message>
    <message>
        <source>Method</source>
        <translation>Methode</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>Voreinstellung</translation>
    </message>
    <message>
        <source>About %1</source>
        <translation>Über %1</translation>
    </message>
    <message>
        <source>Memory: about %1 at the peak</source>
        <translation>Speicher: etwa %1 in der Spitze</translation>
    </message>
    <message>
        <source>Memory: unknown until a model is open</source>
        <translation>Speicher: unbekannt, solange kein Modell offen ist</translation>
    </message>
</context>
<context>
    <name>bdq::SaveTarget</name>
    <message>
        <source>%1: found a file of this name, expected none, because “%2” is no known format and .%3 was added. Choose that file itself to replace it.</source>
        <translation>%1: eine Datei dieses Namens gefunden, keine erwartet, denn „%2“ nennt kein bekanntes Format und .%3 wurde angehängt. Um sie zu ersetzen, bitte diese Datei selbst wählen.</translation>
    </message>
</context>
<context>
    <name>bdq::SiteRanking</name>
    <message>
        <source>measured</source>
        <translation>gemessen</translation>
    </message>
    <message>
        <source>estimated</source>
        <translation>geschätzt</translation>
    </message>
    <message>
        <source>not ranked</source>
        <translation>ohne Rangfolge</translation>
    </message>
    <message>
        <source>not ranked: measure losses</source>
        <translation>ohne Rangfolge: Verluste messen</translation>
    </message>
    <message>
        <source>sum of losses %1 nats (%2), largest %3 %4 with %5</source>
        <translation>Summe der Verluste %1 nats (%2), größter %3 %4 mit %5</translation>
    </message>
    <message>
        <source>! more than %1 times, !! more than %2 times the share that a site would have if all cost the same.</source>
        <translation>! mehr als %1-mal, !! mehr als %2-mal der Anteil, den eine Stelle hätte, wenn alle gleich viel kosteten.</translation>
    </message>
    <message>
        <source>Measured: the model ran with each site alone quantized.</source>
        <translation>Gemessen: das Modell lief mit jeder Stelle einzeln quantisiert.</translation>
    </message>
    <message>
        <source>Estimated: from one backward pass of the analysis; measure the losses to be sure.</source>
        <translation>Geschätzt: aus einem Rückwärtsdurchlauf der Analyse; sicher ist es erst gemessen.</translation>
    </message>
    <message>
        <source>Neither measured nor estimated for every row as the plan has it: the rows are in the order of the model. SQNR of a row by itself does not rank rows.</source>
        <translation>Nicht für jede Zeile so gemessen oder geschätzt, wie der Plan sie hat: die Zeilen stehen in der Ordnung des Modells. Das SQNR einer Zeile für sich ergibt keine Rangfolge.</translation>
    </message>
</context>
<context>
    <name>bdq::SiteTableModel</name>
    <message>
        <source>Layer</source>
        <translation>Schicht</translation>
    </message>
    <message>
        <source>Site</source>
        <translation>Stelle</translation>
    </message>
    <message>
        <source>Bits</source>
        <translation>Bits</translation>
    </message>
    <message>
        <source>SQNR pred. (dB)</source>
        <translation>SQNR vorh. (dB)</translation>
    </message>
    <message>
        <source>SQNR meas. (dB)</source>
        <translation>SQNR gem. (dB)</translation>
    </message>
    <message>
        <source>Flat. x before</source>
        <translation>Flat. x vorher</translation>
    </message>
    <message>
        <source>Flat. x after</source>
        <translation>Flat. x nachher</translation>
    </message>
    <message>
        <source>Flat. W before</source>
        <translation>Flat. W vorher</translation>
    </message>
    <message>
        <source>Flat. W after</source>
        <translation>Flat. W nachher</translation>
    </message>
    <message>
        <source>Outliers (%)</source>
        <translation>Ausreißer (%)</translation>
    </message>
    <message>
        <source>Kurtosis</source>
        <translation>Kurtosis</translation>
    </message>
    <message>
        <source>Abs. max</source>
        <translation>Größter Betrag</translation>
    </message>
    <message>
        <source>unknown</source>
        <translation>unbekannt</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation>%1: %2</translation>
    </message>
    <message>
        <source>Loss (nats)</source>
        <translation>Verlust (nats)</translation>
    </message>
    <message>
        <source>SQNR token (dB)</source>
        <translation>SQNR Token (dB)</translation>
    </message>
    <message>
        <source>SQNR token, 5 % (dB)</source>
        <translation>SQNR Token, 5 % (dB)</translation>
    </message>
    <message>
        <source>Top tokens (%)</source>
        <translation>Stärkste Token (%)</translation>
    </message>
    <message>
        <source>%1: %2, locked</source>
        <translation>%1: %2, gesperrt</translation>
    </message>
    <message>
        <source>%1: %2, stands out</source>
        <translation>%1: %2, fällt auf</translation>
    </message>
    <message>
        <source>Loss, est. (nats)</source>
        <translation>Verlust, gesch. (nats)</translation>
    </message>
    <message>
        <source>Bits of weights / activations (/ KV cache) in the current plan; a padlock: the slider of average bits leaves these weights alone (L)</source>
        <translation>Bits von Gewichten / Aktivierungen (/ KV-Cache) im aktuellen Plan; ein Schloss: der Regler der mittleren Bits lässt diese Gewichte in Ruhe (L)</translation>
    </message>
    <message>
        <source>Not ranked: measure losses, or analyse the model again; the loss of every row must be known as the plan has it.</source>
        <translation>Ohne Rangfolge: Verluste messen oder das Modell neu analysieren; der Verlust jeder Zeile muss so bekannt sein, wie der Plan sie hat.</translation>
    </message>
    <message>
        <source>Not measured by the chosen kind (%1) with these bits, this transform and this rounding. The inspector lists what other kinds measured.</source>
        <translation>Von der gewählten Art (%1) mit diesen Bits, dieser Transformation und dieser Rundung nicht gemessen. Der Inspektor zeigt, was andere Arten gemessen haben.</translation>
    </message>
    <message>
        <source>Not known yet: analyse the model&apos;s activations, or measure this row.</source>
        <translation>Noch nicht bekannt: die Aktivierungen des Modells analysieren oder diese Zeile messen.</translation>
    </message>
    <message>
        <source>%1; locked: the slider of average bits leaves these weights alone (L unlocks)</source>
        <translation>%1; gesperrt: der Regler der mittleren Bits lässt diese Gewichte in Ruhe (L entsperrt)</translation>
    </message>
    <message>
        <source>%1 of the sum, place %2 of %3, %4</source>
        <translation>%1 der Summe, Platz %2 von %3, %4</translation>
    </message>
</context>
<context>
    <name>bdq::SiteTablePanel</name>
    <message>
        <source>The layers of the model appear here.

Open a model, or drop a file on the window.</source>
        <translation>Die Schichten des Modells erscheinen hier.

Ein Modell öffnen oder eine Datei auf das Fenster ziehen.</translation>
    </message>
    <message>
        <source>Layers and sites</source>
        <translation>Schichten und Stellen</translation>
    </message>
    <message>
        <source>Filter, for example down or ^1[0-9]\.</source>
        <translation>Filter, zum Beispiel down oder ^1[0-9]\.</translation>
    </message>
    <message>
        <source>Regular expression on layer.site, for example 11.down</source>
        <translation>Regulärer Ausdruck auf Schicht.Stelle, zum Beispiel 11.down</translation>
    </message>
    <message>
        <source>Filter of the layer table</source>
        <translation>Filter der Schichttabelle</translation>
    </message>
    <message>
        <source>Not a regular expression yet; the last valid one is used</source>
        <translation>Noch kein regulärer Ausdruck; der letzte gültige gilt</translation>
    </message>
    <message numerus="yes">
        <source>%1 of %n rows</source>
        <translation>
            <numerusform>%1 von %n Zeile</numerusform>
            <numerusform>%1 von %n Zeilen</numerusform>
        </translation>
    </message>
    <message>
        <source>1 row</source>
        <translation>1 Zeile</translation>
    </message>
    <message numerus="yes">
        <source>%n rows</source>
        <translation>
            <numerusform>%n Zeile</numerusform>
            <numerusform>%n Zeilen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n selected</source>
        <translation>
            <numerusform>%n ausgewählt</numerusform>
            <numerusform>%n ausgewählt</numerusform>
        </translation>
    </message>
    <message>
        <source>No row passes the filters.

Clear the filter line or the threshold in the Flatness plot.</source>
        <translation>Keine Zeile besteht die Filter.

Die Filterzeile oder die Schwelle im Flatness-Diagramm löschen.</translation>
    </message>
    <message>
        <source>Kind of measured SQNR</source>
        <translation>Art des gemessenen SQNR</translation>
    </message>
    <message>
        <source>What the column of measured SQNR shows: values of the analysis, of the resident worker (live), or of a run. They are measured on different tokens with different rounding: one column holds one kind, the inspector lists all.</source>
        <translation>Was die Spalte des gemessenen SQNR zeigt: Werte der Analyse, des mitlaufenden Arbeiters (live) oder eines Laufs. Sie sind an verschiedenen Token mit verschiedener Rundung gemessen: eine Spalte zeigt eine Art, der Inspektor alle.</translation>
    </message>
    <message>
        <source>Sort again</source>
        <translation>Neu sortieren</translation>
    </message>
    <message>
        <source>The plan has changed since the rows were sorted. They stay where they are while you edit; this puts them in order.</source>
        <translation>Der Plan hat sich seit dem Sortieren geändert. Beim Bearbeiten bleiben die Zeilen, wo sie sind; dies ordnet sie.</translation>
    </message>
    <message>
        <source>&amp;Lock Selected	L</source>
        <translation>Auswahl &amp;sperren	L</translation>
    </message>
    <message>
        <source>&amp;Unlock Selected</source>
        <translation>Auswahl &amp;entsperren</translation>
    </message>
    <message>
        <source>&amp;Copy Rows	Ctrl+C</source>
        <translation>Zeilen &amp;kopieren	Strg+C</translation>
    </message>
    <message>
        <source>not ranked: measure losses</source>
        <translation>ohne Rangfolge: Verluste messen</translation>
    </message>
    <message>
        <source>losses: %1</source>
        <translation>Verluste: %1</translation>
    </message>
    <message>
        <source>SQNR: %1</source>
        <translation>SQNR: %1</translation>
    </message>
</context>
<context>
    <name>bdq::SqnrLayersPlot</name>
    <message>
        <source>SQNR of one site across layers under several transforms</source>
        <translation>SQNR einer Stelle über die Schichten unter mehreren Transformationen</translation>
    </message>
    <message>
        <source>Site</source>
        <translation>Stelle</translation>
    </message>
    <message>
        <source>Scheme</source>
        <translation>Schema</translation>
    </message>
    <message>
        <source>%1 · %2 · filled = measured, hollow = predicted · %3</source>
        <translation>%1 · %2 · gefüllt = gemessen, hohl = vorhergesagt · %3</translation>
    </message>
    <message>
        <source>layer</source>
        <translation>Schicht</translation>
    </message>
    <message>
        <source>SQNR (dB), higher is better</source>
        <translation>SQNR (dB), mehr ist besser</translation>
    </message>
    <message>
        <source>not measured</source>
        <translation>nicht gemessen</translation>
    </message>
    <message>
        <source>%1 · %2   predicted %3 dB   measured %4 dB</source>
        <translation>%1 · %2   vorhergesagt %3 dB   gemessen %4 dB</translation>
    </message>
    <message>
        <source>SQNR of one site across the layers under every analysed transform: which one helps where.</source>
        <translation>SQNR einer Stelle über die Schichten unter jeder analysierten Transformation: welche wo hilft.</translation>
    </message>
</context>
<context>
    <name>bdq::SqnrPlot</name>
    <message>
        <source>Predicted against measured SQNR of all sites</source>
        <translation>Vorhergesagtes gegen gemessenes SQNR aller Stellen</translation>
    </message>
    <message>
        <source>Transform</source>
        <translation>Transformation</translation>
    </message>
    <message>
        <source>Scheme</source>
        <translation>Schema</translation>
    </message>
    <message>
        <source>Per-channel rounding errors</source>
        <translation>Rundungsfehler je Kanal</translation>
    </message>
    <message>
        <source>CAT theorem</source>
        <translation>CAT-Theorem</translation>
    </message>
    <message>
        <source>Prediction</source>
        <translation>Vorhersage</translation>
    </message>
    <message>
        <source>equal, band ±%1 dB</source>
        <translation>gleich, Band ±%1 dB</translation>
    </message>
    <message>
        <source>predicted SQNR (dB)</source>
        <translation>vorhergesagtes SQNR (dB)</translation>
    </message>
    <message>
        <source>measured SQNR (dB)</source>
        <translation>gemessenes SQNR (dB)</translation>
    </message>
    <message>
        <source>predicted only, nothing measured</source>
        <translation>nur vorhergesagt, nichts gemessen</translation>
    </message>
    <message>
        <source>%1 of %2 within %3 dB, mean difference %4 dB</source>
        <translation>%1 von %2 innerhalb %3 dB, mittlere Differenz %4 dB</translation>
    </message>
    <message>
        <source>%1 · %2 · %3 · %4</source>
        <translation>%1 · %2 · %3 · %4</translation>
    </message>
    <message>
        <source>not measured</source>
        <translation>nicht gemessen</translation>
    </message>
    <message>
        <source>%1   predicted %2 dB   measured %3 dB</source>
        <translation>%1   vorhergesagt %2 dB   gemessen %3 dB</translation>
    </message>
    <message>
        <source>How well the predicted SQNR of each site agrees with the measured one.</source>
        <translation>Wie gut das vorhergesagte SQNR jeder Stelle zum gemessenen passt.</translation>
    </message>
</context>
<context>
    <name>bdq::StartPage</name>
    <message>
        <source>BDQ Studio</source>
        <translation>BDQ Studio</translation>
    </message>
    <message>
        <source>See what quantization does to each layer of a language model, choose bits, run, and report.</source>
        <translation>Sehen, was Quantisierung mit jeder Schicht eines Sprachmodells macht, Bits wählen, ausführen und berichten.</translation>
    </message>
    <message>
        <source>&amp;Open model</source>
        <translation>Modell &amp;öffnen</translation>
    </message>
    <message>
        <source>A GGUF file, or a folder with config.json and safetensors</source>
        <translation>Eine GGUF-Datei oder ein Ordner mit config.json und safetensors</translation>
    </message>
    <message>
        <source>&amp;Demo</source>
        <translation>&amp;Demo</translation>
    </message>
    <message>
        <source>A small model, ready to analyse</source>
        <translation>Ein kleines Modell, bereit zur Analyse</translation>
    </message>
    <message>
        <source>Open &amp;result</source>
        <translation>&amp;Ergebnis öffnen</translation>
    </message>
    <message>
        <source>A session, an analysis or the folder of an earlier run</source>
        <translation>Eine Sitzung, eine Analyse oder der Ordner eines früheren Laufs</translation>
    </message>
    <message>
        <source>Rec&amp;ent</source>
        <translation>&amp;Zuletzt geöffnet</translation>
    </message>
    <message>
        <source>Recent files</source>
        <translation>Zuletzt geöffnete Dateien</translation>
    </message>
    <message>
        <source>What you open appears here. You can also drop a model file, a model folder or a run folder anywhere on this page.</source>
        <translation>Was geöffnet wird, erscheint hier. Eine Modelldatei, ein Modellordner oder ein Laufordner kann auch auf diese Seite gezogen werden.</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>Remove from list</source>
        <translation>Entfernen</translation>
    </message>
</context>
<context>
    <name>bdq::TrainingEditor</name>
    <message>
        <source>Epochs</source>
        <translation>Epochen</translation>
    </message>
    <message>
        <source>Passes over the calibration text, block by block; over the whole model where the preset trains only that</source>
        <translation>Durchgänge durch den Kalibriertext, Block für Block; durch das ganze Modell, wo die Voreinstellung nur dieses trainiert</translation>
    </message>
    <message>
        <source>Steps over the whole model</source>
        <translation>Schritte durch das ganze Modell</translation>
    </message>
    <message>
        <source>After the blocks: training of the whole model on its output</source>
        <translation>Nach den Blöcken: Training des ganzen Modells an seiner Ausgabe</translation>
    </message>
    <message>
        <source>Loss of these steps</source>
        <translation>Verlustfunktion dieser Schritte</translation>
    </message>
    <message>
        <source>preset&apos;s: %1</source>
        <translation>Voreinstellung: %1</translation>
    </message>
    <message>
        <source>Learned rounding</source>
        <translation>Gelerntes Runden</translation>
    </message>
    <message>
        <source>The loss decides which of its two neighbouring codes every weight takes, instead of the nearest. Pays at 2 and 3 bits; costs memory and time.</source>
        <translation>Der Verlust entscheidet, welchen seiner beiden Nachbarcodes jedes Gewicht erhält, statt des nächsten. Lohnt bei 2 und 3 Bit; kostet Speicher und Zeit.</translation>
    </message>
    <message>
        <source>Quantized inputs</source>
        <translation>Quantisierte Eingaben</translation>
    </message>
    <message>
        <source>Blocks learn from what the quantized blocks before them put out, so that they make good the errors of these. Off: from the full model&apos;s states.</source>
        <translation>Blöcke lernen an dem, was die quantisierten Blöcke vor ihnen ausgeben, und gleichen so deren Fehler aus. Aus: an den Zuständen des vollen Modells.</translation>
    </message>
    <message>
        <source>bfloat16 products</source>
        <translation>Produkte in bfloat16</translation>
    </message>
    <message>
        <source>Matrix products of the training in bfloat16: faster where the hardware has it, less exact. Parameters stay in fp32.</source>
        <translation>Matrixprodukte des Trainings in bfloat16: schneller, wo die Hardware es kann, weniger genau. Parameter bleiben in fp32.</translation>
    </message>
    <message>
        <source>on</source>
        <translation>an</translation>
    </message>
    <message>
        <source>off</source>
        <translation>aus</translation>
    </message>
</context>
<context>
    <name>bdq::TransformBox</name>
    <message>
        <source>mixed</source>
        <translation>gemischt</translation>
    </message>
    <message>
        <source>Transform</source>
        <translation>Transformation</translation>
    </message>
    <message>
        <source>%1 (not analysed)</source>
        <translation>%1 (nicht analysiert)</translation>
    </message>
    <message>
        <source>Analyse %1 here (about %2)…</source>
        <translation>%1 hier analysieren (etwa %2)…</translation>
    </message>
    <message>
        <source>Analyse %1 here…</source>
        <translation>%1 hier analysieren…</translation>
    </message>
</context>
<context>
    <name>bdq::Workspace</name>
    <message>
        <source>Overview</source>
        <translation>Übersicht</translation>
    </message>
    <message>
        <source>Histogram</source>
        <translation>Histogramm</translation>
    </message>
    <message>
        <source>Channels</source>
        <translation>Kanäle</translation>
    </message>
    <message>
        <source>Predicted / measured</source>
        <translation>Vorhergesagt / gemessen</translation>
    </message>
    <message>
        <source>Transforms</source>
        <translation>Transformationen</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>Bericht</translation>
    </message>
    <message>
        <source>Flatness across all layers, before and after a transform</source>
        <translation>Flatness über alle Schichten, vor und nach einer Transformation</translation>
    </message>
    <message>
        <source>Outlier magnitudes of the selected row, before and after a transform</source>
        <translation>Ausreißerbeträge der ausgewählten Zeile, vor und nach einer Transformation</translation>
    </message>
    <message>
        <source>Channel magnitudes of the selected row, sorted</source>
        <translation>Kanalbeträge der ausgewählten Zeile, sortiert</translation>
    </message>
    <message>
        <source>Predicted against measured SQNR of every row</source>
        <translation>Vorhergesagtes gegen gemessenes SQNR jeder Zeile</translation>
    </message>
    <message>
        <source>SQNR across layers under every transform</source>
        <translation>SQNR über die Schichten unter jeder Transformation</translation>
    </message>
    <message>
        <source>Analyse now</source>
        <translation>Jetzt analysieren</translation>
    </message>
    <message>
        <source>Sends calibration text through the model, layer by layer, with the settings of the last analysis</source>
        <translation>Schickt Kalibriertext Schicht für Schicht durch das Modell, mit den Einstellungen der letzten Analyse</translation>
    </message>
    <message>
        <source>Options…</source>
        <translation>Optionen …</translation>
    </message>
    <message>
        <source>Text, transforms, layers and device of the analysis</source>
        <translation>Text, Transformationen, Schichten und Gerät der Analyse</translation>
    </message>
</context>
<context>
    <name>bdq::format</name>
    <message>
        <source>%1 %</source>
        <translation>%1 %</translation>
    </message>
    <message>
        <source>%1 bytes</source>
        <translation>%1 Byte</translation>
    </message>
    <message>
        <source>%1 kB</source>
        <translation>%1 kB</translation>
    </message>
    <message>
        <source>%1 MB</source>
        <translation>%1 MB</translation>
    </message>
    <message>
        <source>%1 GB</source>
        <translation>%1 GB</translation>
    </message>
    <message>
        <source>%1 s</source>
        <translation>%1 s</translation>
    </message>
    <message>
        <source>%1 B</source>
        <translation>%1 Mrd.</translation>
    </message>
    <message>
        <source>%1 M</source>
        <translation>%1 Mio.</translation>
    </message>
    <message>
        <source>gate, up</source>
        <translation>gate, up</translation>
    </message>
    <message>
        <source>K cache</source>
        <translation>K-Cache</translation>
    </message>
    <message>
        <source>V cache</source>
        <translation>V-Cache</translation>
    </message>
    <message>
        <source>layer %1 · %2</source>
        <translation>Schicht %1 · %2</translation>
    </message>
    <message>
        <source>%1 (%2)</source>
        <translation>%1 (%2)</translation>
    </message>
    <message>
        <source>Lower is better.</source>
        <translation>Weniger ist besser.</translation>
    </message>
    <message>
        <source>Higher is better.</source>
        <translation>Mehr ist besser.</translation>
    </message>
    <message>
        <source>%1 tokens</source>
        <translation>%1 Token</translation>
    </message>
    <message>
        <source>%1 of %2 layers</source>
        <translation>%1 von %2 Schichten</translation>
    </message>
</context>
<context>
    <name>main</name>
    <message>
        <source>Sees what quantization does to the layers of a language model.</source>
        <translation>Zeigt, was Quantisierung mit den Schichten eines Sprachmodells macht.</translation>
    </message>
    <message>
        <source>Models, analysis or run folders, sessions; each after the first opens its own window.</source>
        <translation>Modelle, Analyse- oder Laufordner, Sitzungen; jede nach der ersten öffnet ein eigenes Fenster.</translation>
    </message>
</context>
</TS>
