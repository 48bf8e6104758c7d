"""Field names of the generateContent request, as far as the emulator tells known from unknown.

From https://ai.google.dev/api/generate-content and Vertex AI's v1beta1 reference. A dict lists a message's
fields, a list is a repeated field, a type is a scalar, None is anything.
"""

from __future__ import annotations

from typing import Any

Fields = dict[str, Any] | list[Any] | type | None

BLOB: Fields = {"mimeType": str, "data": str, "displayName": str}

PART: Fields = {
    "text": str,
    "inlineData": BLOB,
    "fileData": None,
    "functionCall": None,
    "functionResponse": None,
    "executableCode": None,
    "codeExecutionResult": None,
    "thought": bool,
    "thoughtSignature": str,
    "videoMetadata": None,
    "mediaResolution": None,
    "partMetadata": None,
}

CONTENT: Fields = {"role": str, "parts": [PART]}

GENERATION_CONFIG: Fields = {
    "temperature": None,
    "topP": None,
    "topK": None,
    "candidateCount": int,
    "maxOutputTokens": int,
    "stopSequences": [str],
    "responseLogprobs": bool,
    "logprobs": int,
    "presencePenalty": None,
    "frequencyPenalty": None,
    "seed": None,
    "responseMimeType": str,
    "responseSchema": None,
    "responseJsonSchema": None,
    "responseModalities": [str],
    "mediaResolution": str,
    "speechConfig": None,
    "thinkingConfig": {"includeThoughts": bool, "thinkingBudget": int, "thinkingLevel": str},
    "imageConfig": {
        "aspectRatio": str,
        "imageSize": str,
        "personGeneration": str,
        "imageOutputOptions": {"mimeType": str, "compressionQuality": int},
    },
    "enableEnhancedCivicAnswers": bool,
    "audioTimestamp": bool,
    "routingConfig": None,
    "modelSelectionConfig": None,
}

REQUEST: Fields = {
    "contents": [CONTENT],
    "systemInstruction": CONTENT,
    "tools": None,
    "toolConfig": None,
    "safetySettings": [{"category": str, "threshold": str, "method": str}],
    "generationConfig": GENERATION_CONFIG,
    "cachedContent": str,
    "labels": None,
    "model": str,
}
